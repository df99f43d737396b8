//! Who has to be told, once the lock is free.

use super::{flushes::Flushed, waiting::Answered};
use bytes::Bytes;
use tokio::sync::oneshot;

/// What has ended under the lock, to be told after it.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) answers: Vec<(oneshot::Sender<Answered>, Answered)>,
    pub(super) flushed: Vec<Flushed>,
    /// Payloads can be the user's own type of bytes, whose drop does what it likes.
    pub(super) dropped: Vec<Bytes>,
}

impl Settled {
    /// Tells them. Returns how many messages have ended.
    pub(super) fn tell(&mut self) -> usize {
        let ended = self.answers.len();
        for (answer, result) in self.answers.drain(..) {
            // Nobody may listen any more.
            let _ = answer.send(result);
        }
        for (answer, receipt) in self.flushed.drain(..) {
            let _ = answer.send(receipt);
        }
        self.dropped.clear();
        ended
    }
}
