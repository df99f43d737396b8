//! Where jobs go that no other try would mend.

use crate::{Client, ConsumerError, delivery::Delivery, failure::Failure, headers, reply::Receipted};
use async_nats::{
    HeaderMap,
    jetstream::{message::PublishMessage, stream},
};
use bytes::Bytes;
use std::error::Error;

/// The line ends and lengths that the server counts in, beside the names and values, with room to spare.
const BESIDE_HEADERS: usize = 256;

/// The reason is for people, and so long it is no pleasure to read. What could not be decoded may be told as a whole in it.
const LONGEST_REASON: usize = 4 * 1024;

/// A stream takes no message with more, whatever the server's limit is.
const MOST_HEADERS: usize = u16::MAX as usize;

/// This part of what the server takes in one message is the reason's at most, and the payload's at least: the message's own
/// headers give way to it.
const SHARE: usize = 8;

const WITHOUT_HEADERS: &str = " (its own headers were too large to be kept)";

/// The stream of one consumer's dead letters.
#[derive(Debug)]
pub(crate) struct DeadLetters {
    client: Client,
    /// `STREAM.JOBS.workers`: a letter is found by where it died.
    subject: String,
    stream: String,
    of_stream: String,
    of_consumer: String,
}

impl DeadLetters {
    /// Sees to it that there is a stream for them. On the client's thread.
    pub(crate) async fn open(
        client: Client,
        name: String,
        stream: &str,
        durable: &str,
    ) -> Result<DeadLetters, ConsumerError> {
        let subject = format!("{name}.{stream}.{durable}");
        let failed = |error: &dyn Error| ConsumerError::dead_letters(&name, &subject, error);
        let jetstream = client.context();
        // Ended by the server's answers, or by the client's time for them.
        let there = jetstream.stream_by_subject(&subject).await;
        match there {
            Ok(there) if there == name => {}
            Ok(_) => return Err(failed(&Taken(subject.clone()))),
            Err(_) => {
                let subjects = vec![format!("{name}.>")];
                let config = stream::Config { name: name.clone(), subjects, ..Default::default() };
                jetstream.create_stream(config).await.map_err(|error| failed(&error))?;
            }
        }
        let (of_stream, of_consumer) = (stream.to_owned(), durable.to_owned());
        Ok(DeadLetters { client, subject, stream: name, of_stream, of_consumer })
    }

    /// Writes one, and waits until the server has it. The same delivery again is the same letter.
    pub(crate) async fn write(
        &self,
        delivery: &Delivery,
        failure: &Failure,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let limit = self.client.nats().max_payload();
        let (headers, room) = self.headers_and_room(delivery, failure, limit);
        let payload = &delivery.message.payload;
        let parts = payload.len().div_ceil(room).max(1);
        for part in 0..parts {
            let from = part * room;
            let payload = payload.slice(from..payload.len().min(from + room));
            self.write_part(delivery, headers.clone(), payload, (part + 1, parts)).await?;
        }
        Ok(())
    }

    async fn write_part(
        &self,
        delivery: &Delivery,
        mut headers: HeaderMap,
        payload: Bytes,
        (part, parts): (usize, usize),
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        if parts > 1 {
            headers.insert(headers::PART, format!("{part}/{parts}"));
        }
        // With the time: a stream that is made anew counts from one again, and its messages are others.
        let Receipted { sequence, stored_ns, .. } = delivery.receipted;
        let id = format!("{}.{}.{sequence}.{stored_ns}.{part}", self.of_stream, self.of_consumer);
        let letter = PublishMessage::build().headers(headers).payload(payload).message_id(id);
        let letter = letter.expected_stream(&self.stream);
        // Ended by the server's answer, or by the client's time for it.
        self.client.context().send_publish(self.subject.clone(), letter).await?.await?;
        Ok(())
    }

    /// How much of the payload has room beside them.
    fn headers_and_room(&self, delivery: &Delivery, failure: &Failure, limit: usize) -> (HeaderMap, usize) {
        let mut reason = one_line(failure, LONGEST_REASON.min(limit / SHARE));
        let mut headers = of_message(delivery);
        self.tell(&mut headers, delivery, &reason);
        // The letter's id and what stream it is for, too, whose names are those of the subject.
        let length = |headers: &_| length_of(headers) + 2 * self.subject.len() + BESIDE_HEADERS;
        let room = |headers: &_| limit.saturating_sub(length(headers));
        if length(&headers) > MOST_HEADERS || room(&headers) < limit / SHARE {
            headers = HeaderMap::new();
            reason.push_str(WITHOUT_HEADERS);
            self.tell(&mut headers, delivery, &reason);
        }
        let room = room(&headers).max(1);
        (headers, room)
    }

    /// Why the letter is here.
    fn tell(&self, headers: &mut HeaderMap, delivery: &Delivery, reason: &str) {
        headers.insert(headers::REASON, reason);
        headers.insert(headers::ATTEMPTS, delivery.receipted.attempt.to_string());
        headers.insert(headers::STREAM, self.of_stream.as_str());
        headers.insert(headers::CONSUMER, self.of_consumer.as_str());
        headers.insert(headers::SEQUENCE, delivery.receipted.sequence.to_string());
        headers.insert(headers::SUBJECT, &*delivery.message.subject);
    }
}

/// The message's own, but for those that tell a stream what to do with it.
fn of_message(delivery: &Delivery) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, values) in delivery.message.headers.iter().flat_map(HeaderMap::iter) {
        let name: &str = name.as_ref();
        let name = if name == headers::MESSAGE_ID { headers::ORIGINAL_MESSAGE_ID } else { name };
        if !name.starts_with("Nats-") {
            values.iter().for_each(|value| headers.append(name, value.as_str()));
        }
    }
    headers
}

/// A header is one line, and not a long one.
fn one_line(failure: &Failure, longest: usize) -> String {
    let mut text = failure.to_string().replace(['\r', '\n'], " ");
    if text.len() > longest {
        let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end));
        text.truncate(end.unwrap_or_default());
        text.push('…');
    }
    text
}

fn length_of(headers: &HeaderMap) -> usize {
    let lines = headers.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    // A colon, a blank and a line's end.
    lines.map(|(name, value)| name.to_string().len() + value.as_str().len() + 4).sum()
}

/// Somebody else's stream takes the subject.
#[derive(Debug)]
struct Taken(String);

impl std::fmt::Display for Taken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "another stream takes the subject {}", self.0)
    }
}

impl Error for Taken {}
