//! One message without an answer.

use super::{error::PublishError, outgoing::Outgoing, publishing::Published};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Between two attempts of a message that found no stream, or a busy one: short beside the patience, long beside a round trip.
pub(super) const REST: Duration = Duration::from_millis(100);

/// What a message ends with.
pub(super) type Answered = Result<Published, PublishError>;

/// A message without an answer.
pub(super) struct Waiting {
    pub(super) message: Outgoing,
    pub(super) stage: Stage,
    /// That of the flushes.
    pub(super) era: u64,
    pub(super) given: Instant,
    /// How many times it was handed to the client.
    pub(super) attempts: u32,
    /// Why it had to rest.
    pub(super) last_answer: Option<Box<str>>,
    pub(super) answer: oneshot::Sender<Answered>,
}

/// Where a message without an answer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// In the queue.
    Queued,
    /// With the client, the server, or lost.
    Sent(Instant),
    /// The server did not want it just now.
    Resting { until: Instant },
}

impl Waiting {
    pub(super) fn rest(&mut self, why: &str, now: Instant) {
        self.stage = Stage::Resting { until: now + REST };
        self.last_answer = Some(why.into());
    }
}
