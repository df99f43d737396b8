//! What one loop counts. The loop's thread alone writes, so that no count costs an atomic step that waits; any thread reads.
//!
//! A write is a release and a read an acquire. A job's counts are written in the order of its life, each after what brought
//! it there: so whoever reads them in the opposite order never finds one ended that was not started, nor one started that
//! was not accepted. A [`snapshot`](super::snapshot()) does.

use super::{busy::BusyTime, recorder::Recorder};
use crate::{Receipt, class::ByClass, task::Outcome};
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// Goes up by its one writer. Not of `sync`: in a model it would be a step of its own at each turn, and decides nothing.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    #[inline]
    pub(crate) fn add(&self, more: u64) {
        self.0.store(self.0.load(Relaxed) + more, Release);
    }

    #[inline]
    pub(crate) fn add_one(&self) {
        self.add(1);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Acquire)
    }
}

/// One loop's counts: how its jobs ended, which also makes the receipt, and what it did for them.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) started: Count,
    completed: Count,
    panicked: Count,
    /// Aborted after their start.
    aborted: Count,
    /// Aborted before, and found so when their turn came.
    called_off: Count,
    cut_off: Count,
    never_started: Count,
    expired: Count,
    /// Tasks of `spawn_local`, which start when they are accepted.
    pub(crate) local: Count,
    /// Taken of the jobs for this worker alone.
    pub(crate) pinned: Count,
    pub(crate) polls: Count,
    pub(crate) poll_time: Recorder,
    pub(crate) queue_waits: ByClass<Recorder>,
    pub(crate) batches: Count,
    pub(crate) batch_jobs: Count,
    pub(crate) steals: Count,
    pub(crate) stolen_jobs: Count,
    pub(crate) parks: Count,
    pub(crate) driver_turns: Count,
    /// Of other loops, by what ran on this one.
    pub(crate) wakes_sent: Count,
    pub(crate) time: BusyTime,
}

/// How the jobs of a loop ended, read before anything that comes earlier in their lives.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ended {
    pub(super) completed: u64,
    pub(super) panicked: u64,
    pub(super) aborted: u64,
    pub(super) called_off: u64,
    pub(super) cut_off: u64,
    pub(super) never_started: u64,
    pub(super) expired: u64,
}

impl Counters {
    /// Counts a job that has ended; `None` is one that an abort had called off.
    #[inline]
    pub(crate) fn count_end(&self, outcome: Option<Outcome>) {
        let count = match outcome {
            None => &self.called_off,
            Some(Outcome::Cancelled) => &self.aborted,
            Some(Outcome::CutOff) => &self.cut_off,
            Some(Outcome::Completed) => &self.completed,
            Some(Outcome::Panicked) => &self.panicked,
            Some(Outcome::Expired) => &self.expired,
            Some(Outcome::Pending) => unreachable!("a pending job has not ended"),
        };
        count.add_one();
    }

    /// Counts a job that a shutdown found unstarted; `None` is one that an abort had called off.
    pub(crate) fn count_unstarted(&self, outcome: Option<Outcome>) {
        if outcome.is_some() { self.never_started.add_one() } else { self.called_off.add_one() }
    }

    pub(super) fn ended(&self) -> Ended {
        Ended {
            completed: self.completed.get(),
            panicked: self.panicked.get(),
            aborted: self.aborted.get(),
            called_off: self.called_off.get(),
            cut_off: self.cut_off.get(),
            never_started: self.never_started.get(),
            expired: self.expired.get(),
        }
    }

    /// The same as a receipt, once the loop has closed.
    pub(crate) fn receipt(&self) -> Receipt {
        self.ended().receipt()
    }
}

impl Ended {
    pub(super) fn receipt(&self) -> Receipt {
        let Ended { completed, panicked, aborted, called_off, cut_off, never_started, expired } = *self;
        Receipt { completed, panicked, aborted: aborted + called_off, cut_off, never_started, expired }
    }

    /// Those of them that had started.
    pub(super) fn started(&self) -> u64 {
        self.completed + self.panicked + self.aborted + self.cut_off
    }

    /// Those that had not.
    pub(super) fn unstarted(&self) -> u64 {
        self.called_off + self.never_started + self.expired
    }
}
