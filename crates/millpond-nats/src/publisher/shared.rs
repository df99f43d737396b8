//! What a publisher's handles and its task on the client's thread share.

use super::{
    error::PublishError,
    in_flight::{Given, InFlight},
    outgoing::Outgoing,
    publishing::Publishing,
    receipt::PublishReceipt,
    settled::Settled,
    slots::Token,
};
use async_nats::{PublishErrorKind, Subject};
use futures_util::FutureExt;
use std::{
    fmt::Write,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Notify, Semaphore, oneshot};

pub(super) struct Shared {
    nats: async_nats::Client,
    /// What the subjects of answers begin with, the last dot included. The rest is the message's token.
    inbox: String,
    /// What ids of ours begin with. Nobody else has it; the rest is the message's number.
    id_prefix: String,
    /// How many messages were made: the next one's number.
    numbers: AtomicU64,
    /// What `max_in_flight` leaves. Taken by those who give messages, given back by the task as they are answered.
    room: Semaphore,
    in_flight: Mutex<InFlight>,
    /// Wakes the task: there is something in the queue though a connection is there, or it sleeps, or it is to end.
    wake: Notify,
}

/// What came of handing a message to the client.
pub(super) enum Handed {
    Taken,
    /// The client had no room.
    Full,
    Refused(PublishError),
}

impl Shared {
    pub(super) fn new(
        nats: async_nats::Client,
        max_in_flight: usize,
        publish_timeout: Duration,
        resend_after: Duration,
    ) -> Shared {
        let unique = |inbox: &str| inbox.rsplit('.').next().map(|unique| format!("{unique}."));
        Shared {
            inbox: format!("{}.", nats.new_inbox()),
            id_prefix: unique(&nats.new_inbox()).unwrap_or_default(),
            nats,
            numbers: AtomicU64::new(0),
            room: Semaphore::new(max_in_flight),
            in_flight: Mutex::new(InFlight::new(publish_timeout, resend_after)),
            wake: Notify::new(),
        }
    }

    pub(super) fn nats(&self) -> &async_nats::Client {
        &self.nats
    }

    pub(super) fn inbox(&self) -> &str {
        &self.inbox
    }

    pub(super) fn id_prefix(&self) -> &str {
        &self.id_prefix
    }

    pub(super) fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, InFlight> {
        // Nothing of the user's runs under the lock, so a panic there has harmed nothing.
        self.in_flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    pub(super) async fn woken(&self) {
        // Ended by `wake`; one that came before is kept.
        self.wake.notified().await;
    }

    /// Waits for room, and gives the message. Dropped before its end, it has given nothing: behind the wait there is no other.
    pub(super) async fn publish(&self, message: Outgoing) -> Result<Publishing, PublishError> {
        message.check(&self.id_prefix, self.nats.max_payload())?;
        // Ended by an answer to a message in flight; each has one by its deadline. The end of the connection closes it.
        match self.room.acquire().await {
            Ok(room) => room.forget(),
            Err(_) => return Err(PublishError::ClientEnded { subject: message.subject.to_string() }),
        }
        self.give(message)
    }

    fn give(&self, message: Outgoing) -> Result<Publishing, PublishError> {
        let (answer, answered) = oneshot::channel();
        let publishing = Publishing::new(answered, message.subject.clone());
        let given = self.lock().give(message.clone(), answer, Instant::now());
        let Some(Given { token, is_direct, wakes }) = given else {
            return Err(PublishError::ClientEnded { subject: message.subject.to_string() });
        };
        if wakes {
            self.wake();
        }
        if !is_direct {
            return Ok(publishing);
        }
        match self.hand_over(token, message) {
            Handed::Taken => Ok(publishing),
            Handed::Full => {
                self.lock().defer(token);
                self.wake();
                Ok(publishing)
            }
            Handed::Refused(error) => self.take_back(token, error).map_or(Ok(publishing), Err),
        }
    }

    /// `None`: it has ended already, and the answer says how.
    fn take_back(&self, token: Token, error: PublishError) -> Option<PublishError> {
        let mut settled = Settled::default();
        let is_back = self.lock().take_back(token, &mut settled);
        settled.tell();
        is_back.then(|| {
            self.room.add_permits(1);
            error
        })
    }

    /// Hands a message to the client, if that has room now.
    pub(super) fn hand_over(&self, token: Token, message: Outgoing) -> Handed {
        // Unconstrained: tokio would have a task that has done much say "not now" here, as if there were no room.
        match tokio::task::unconstrained(self.send(token, message)).now_or_never() {
            None => Handed::Full,
            Some(Ok(())) => Handed::Taken,
            Some(Err(error)) => Handed::Refused(error),
        }
    }

    /// Hands a message to the client, and waits for its room.
    pub(super) async fn send(&self, token: Token, message: Outgoing) -> Result<(), PublishError> {
        let mut reply = String::with_capacity(self.inbox.len() + 16);
        write!(reply, "{}{:x}", self.inbox, token.0).expect("a string grows");
        let (headers, size_bytes) = (message.headers(&self.id_prefix), message.size_bytes(&self.id_prefix));
        let Outgoing { subject, payload, .. } = message;
        let sent = self.nats.publish_with_reply_and_headers(subject.clone(), reply, headers, payload);
        // Ended by the connection's task, which takes what was sent before; its end ends it too.
        sent.await.map_err(|error| {
            let subject = subject.to_string();
            match error.kind() {
                PublishErrorKind::InvalidSubject => PublishError::InvalidSubject { subject },
                // Another server than when it was checked, with another limit.
                PublishErrorKind::MaxPayloadExceeded => {
                    PublishError::TooLarge { subject, size_bytes, limit_bytes: self.nats.max_payload() }
                }
                PublishErrorKind::Send => PublishError::ClientEnded { subject },
            }
        })
    }

    /// Which message the subject of an answer names.
    pub(super) fn token(&self, subject: &Subject) -> Option<Token> {
        let token = subject.strip_prefix(self.inbox.as_str())?;
        u64::from_str_radix(token, 16).ok().map(Token)
    }

    pub(super) async fn flush(&self) -> PublishReceipt {
        let flushed = self.lock().flush();
        match flushed {
            Ok(receipt) => receipt,
            // Ended by the last of the answers, each of which comes by its deadline.
            Err(receipt) => receipt.await.unwrap_or_else(|_| self.lock().metrics().answered),
        }
    }

    /// Tells what has ended, and gives the room back: all of a batch at once, as each could wake somebody.
    pub(super) fn tell(&self, settled: &mut Settled) {
        let ended = settled.tell();
        if ended > 0 {
            self.room.add_permits(ended);
        }
    }

    /// The connection has ended for good.
    pub(super) fn end(&self) {
        let mut settled = Settled::default();
        self.lock().end(&mut settled);
        self.tell(&mut settled);
        self.room.close();
    }
}
