//! What a consumer has done with what it was given.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};

/// A count that only goes up. Written by the intake, by workers and by settling tasks.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn up(&self) {
        // A release: whoever reads it then finds what was counted before, see `Counts::read`.
        self.0.fetch_add(1, Release);
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Acquire)
    }
}

/// One consumer's.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) pulled: Count,
    pub(crate) redelivered: Count,
    pub(crate) repeated: Count,
    pub(crate) started: Count,
    pub(crate) acked: Count,
    pub(crate) retried: Count,
    pub(crate) dead: Count,
    pub(crate) panicked: Count,
    pub(crate) returned: Count,
    pub(crate) cut_off: Count,
    pub(crate) unconfirmed: Count,
    pub(crate) progress: Count,
    pub(crate) pulls: Count,
}

impl Counts {
    pub(crate) fn read(&self) -> ConsumerMetrics {
        // Ends before starts before what came: a job that goes on meanwhile is seen at an earlier place, and nothing is below
        // zero.
        let [acked, retried, dead, returned, cut_off, unconfirmed] =
            [&self.acked, &self.retried, &self.dead, &self.returned, &self.cut_off, &self.unconfirmed]
                .map(Count::read);
        let panicked = self.panicked.read();
        let started = self.started.read();
        let pulled = self.pulled.read();
        ConsumerMetrics {
            pulled,
            started,
            acked,
            retried,
            dead,
            returned,
            cut_off,
            unconfirmed,
            panicked,
            redelivered: self.redelivered.read(),
            repeated: self.repeated.read(),
            progress: self.progress.read(),
            pulls: self.pulls.read(),
        }
    }
}

/// What a consumer has done, and what it has in its hands: a snapshot, which adds up at every instant.
///
/// ```no_run
/// # fn look(consumer: &millpond_nats::Consumer) {
/// let metrics = consumer.metrics(); // no_run: a consumer needs a server
/// assert_eq!(metrics.pulled, metrics.ended() + metrics.in_flight());
/// # }
/// ```
///
/// All that were pulled have ended in one of six ways, or are [in flight](Self::in_flight).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConsumerMetrics {
    /// Messages that came from the server to be done. Each delivery counts.
    pub pulled: u64,
    /// Those whose handler has begun.
    pub started: u64,
    /// Done, and the server told so.
    pub acked: u64,
    /// Failed, and given back for another try.
    pub retried: u64,
    /// Failed for good, and put into the dead letters.
    pub dead: u64,
    /// Given back at a stop, or by a pool that ended, before their handler began.
    pub returned: u64,
    /// Given back in the middle: their handler had begun, and the deadline of a stop or the pool's end came first.
    pub cut_off: u64,
    /// Done, but without the server's word that it knows: with [`ack_sync`](crate::ConsumerBuilder::ack_sync), no
    /// confirmation came; without it, the connection had ended for good. They may come again.
    pub unconfirmed: u64,
    /// Handlers that panicked. They stand in `retried` or `dead`, too.
    pub panicked: u64,
    /// Of those pulled, deliveries that were not the message's first.
    pub redelivered: u64,
    /// Deliveries of what this consumer was at, or had done, and the server had not learnt of: they were answered and not run
    /// again. They stand in no other count.
    pub repeated: u64,
    /// Times that the server was told that a message is being worked on.
    pub progress: u64,
    /// Requests for messages.
    pub pulls: u64,
}

impl ConsumerMetrics {
    /// Pulled, and not yet over: they wait for a worker, or run, or are being answered.
    pub fn in_flight(&self) -> u64 {
        self.pulled - self.ended()
    }

    /// Over, in whichever way.
    pub fn ended(&self) -> u64 {
        self.acked + self.retried + self.dead + self.returned + self.cut_off + self.unconfirmed
    }
}

/// What a consumer has done in all its life: what [`Consumer::stop`](crate::Consumer::stop) ends with. See [`Consumer`](crate::Consumer).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// They add up: `pulled` is what has `ended`, and nothing is in flight any more.
    pub counts: ConsumerMetrics,
    /// Why it ended.
    pub end: End,
}

/// Why a consumer has ended. See [`Consumer`](crate::Consumer).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum End {
    /// It was [stopped](crate::Consumer::stop), or dropped.
    Stopped,
    /// The pool has shut down, and takes no jobs any more.
    PoolClosed,
    /// The consumer or its stream is no more on the server, as this text of it says.
    Deleted(String),
}

impl std::ops::Deref for Receipt {
    type Target = ConsumerMetrics;

    fn deref(&self) -> &ConsumerMetrics {
        &self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_ended_is_in_flight() {
        let counts = Counts::default();
        (0..7).for_each(|_| counts.pulled.up());
        [
            &counts.acked,
            &counts.retried,
            &counts.dead,
            &counts.returned,
            &counts.cut_off,
            &counts.unconfirmed,
        ]
        .iter()
        .for_each(|count| count.up());
        let metrics = counts.read();
        assert_eq!((metrics.ended(), metrics.in_flight()), (6, 1));
    }
}
