//! Requests for messages, and what the server says of them.
//!
//! A pull asks for so many messages until it expires; the server sends them to the pull's inbox as they come. Beside them it
//! sends statuses: that a pull has ended, and why. What is still to come of all pulls together is the credit.

use crate::delivery::Delivery;
use async_nats::{Message, StatusCode};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// Then the server ends a pull that has got less than it asked for, and it is made anew. One request in half a minute is
/// nothing to a server, even from ten thousand.
const EXPIRES: Duration = Duration::from_secs(30);

/// The server shows at this pace that it knows of the pull. A third missed one means that it does not.
const HEARTBEAT: Duration = Duration::from_secs(5);
pub(crate) const SILENCE: Duration = Duration::from_secs(15);

/// The pulls of one inbox.
#[derive(Debug, Default)]
pub(crate) struct Pulls {
    /// Messages that were asked for, and have not come.
    credit: usize,
}

/// What came to the inbox.
#[derive(Debug)]
pub(crate) enum Arrival {
    Delivery(Arc<Delivery>),
    /// It is nothing that a pull brings.
    Foreign,
    /// All is well, or a pull has ended as it should.
    Status,
    /// The server cannot serve pulls now: ask again in a while.
    Later(String),
    /// There is nothing to pull from, and never will be.
    Deleted(String),
    /// One of ours: all that the server has sent before has come.
    Marker,
}

impl Pulls {
    pub(crate) fn credit(&self) -> usize {
        self.credit
    }

    /// The body of a request for so many.
    pub(crate) fn request(&mut self, messages: usize) -> Bytes {
        self.credit += messages;
        let (expires, heartbeat) = (EXPIRES.as_nanos(), HEARTBEAT.as_nanos());
        format!(r#"{{"batch":{messages},"expires":{expires},"idle_heartbeat":{heartbeat}}}"#).into()
    }

    /// `marker` is the subject of what we send to the inbox ourselves.
    pub(crate) fn arrived(&mut self, message: Message, marker: &str) -> Arrival {
        // Whoever publishes a message may give it a status of his own; the server's have nobody to answer to.
        let Some(status) = message.status.filter(|_| message.reply.is_none()) else {
            if message.reply.is_none() && &*message.subject == marker {
                return Arrival::Marker;
            }
            self.credit = self.credit.saturating_sub(1);
            return Delivery::new(message).map_or(Arrival::Foreign, Arrival::Delivery);
        };
        let text = message.description.as_deref().unwrap_or_default();
        match status {
            StatusCode::IDLE_HEARTBEAT => Arrival::Status,
            StatusCode::TIMEOUT | StatusCode::NOT_FOUND => {
                self.end(&message);
                Arrival::Status
            }
            _ if is_deleted(text) => Arrival::Deleted(text.to_owned()),
            _ => {
                // Which pull it was about is not said, nor what was still to come of it.
                self.credit = 0;
                Arrival::Later(format!("{} {text}", status.as_u16()))
            }
        }
    }

    /// A pull has ended, with so many that did not come.
    fn end(&mut self, message: &Message) {
        let pending = message.headers.as_ref().and_then(|headers| headers.get("Nats-Pending-Messages"));
        let pending = pending.and_then(|pending| pending.as_str().parse().ok());
        self.credit = self.credit.saturating_sub(pending.unwrap_or(self.credit));
    }
}

fn is_deleted(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["consumer deleted", "consumer is push based"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::tests::message;
    use async_nats::HeaderMap;

    fn status(code: u16, text: &str, pending: Option<&str>) -> Message {
        let mut message = message(None);
        message.status = Some(StatusCode::from_u16(code).unwrap());
        message.description = Some(text.to_owned());
        let mut headers = HeaderMap::new();
        pending.into_iter().for_each(|pending| headers.insert("Nats-Pending-Messages", pending));
        message.headers = Some(headers);
        message
    }

    #[test]
    fn what_was_asked_for_is_credit_until_it_comes_or_the_pull_ends() {
        let mut pulls = Pulls::default();
        let body = pulls.request(10);
        let expected = r#"{"batch":10,"expires":30000000000,"idle_heartbeat":5000000000}"#;
        assert_eq!(body, expected);
        pulls.request(5);
        assert!(matches!(
            pulls.arrived(message(Some("$JS.ACK.JOBS.workers.3.100.7.1.42".into())), "m"),
            Arrival::Delivery(_)
        ));
        assert!(matches!(pulls.arrived(status(100, "Idle Heartbeat", None), "m"), Arrival::Status));
        assert_eq!(pulls.credit(), 14);
        assert!(matches!(pulls.arrived(status(408, "Request Timeout", Some("9")), "m"), Arrival::Status));
        assert_eq!(pulls.credit(), 5);
        assert!(matches!(pulls.arrived(status(404, "No Messages", None), "m"), Arrival::Status));
        assert_eq!(pulls.credit(), 0);
    }

    #[test]
    fn a_pull_that_was_refused_is_made_again_unless_there_is_nothing_to_pull_from() {
        let mut pulls = Pulls::default();
        pulls.request(5);
        for (code, text) in [(409, "Exceeded MaxWaiting"), (503, ""), (409, "Leadership Change")] {
            assert!(matches!(pulls.arrived(status(code, text, None), "m"), Arrival::Later(_)));
            assert_eq!(pulls.credit(), 0);
        }
        assert!(matches!(pulls.arrived(status(409, "Consumer Deleted", None), "m"), Arrival::Deleted(_)));
    }

    #[test]
    fn a_job_with_a_status_of_its_own_is_a_job() {
        let mut pulls = Pulls::default();
        pulls.request(1);
        let mut job = status(409, "Consumer Deleted", None);
        job.reply = Some("$JS.ACK.JOBS.workers.3.100.7.1.42".into());
        assert!(matches!(pulls.arrived(job, "m"), Arrival::Delivery(_)));
        assert_eq!(pulls.credit(), 0);
    }

    #[test]
    fn a_marker_is_told_from_a_message() {
        let mut pulls = Pulls::default();
        assert!(matches!(pulls.arrived(message(None), "jobs.a"), Arrival::Marker));
        assert!(matches!(pulls.arrived(message(None), "jobs.b"), Arrival::Foreign));
        assert!(matches!(
            pulls.arrived(message(Some("$JS.ACK.JOBS.workers.3.100.7.1.42".into())), "jobs.a"),
            Arrival::Delivery(_)
        ));
    }
}
