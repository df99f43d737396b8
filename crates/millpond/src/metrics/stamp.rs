//! When a job was accepted: some carry a stamp of it, from which the worker that starts them learns how long they have waited.
//!
//! To read the clock takes 25 ns, and a trivial job a few times that from its spawn to its end. So not every job is stamped
//! when they come fast: each way in keeps its stamps some microseconds apart, and a stamp stands for all the jobs since the
//! one before. When they come slowly, each has its own.

use super::clock::nanos;
use crate::{sync::now, task::Task};

/// Two readings of the clock, at the stamp and at the start, and what is made of them take 100 ns: one part in 200 of this.
const APART_NS: u64 = 20_000;
/// A job that stands for more hides what happens within them.
pub(crate) const MOST_JOBS_PER_STAMP: u64 = 128;

/// When a job was accepted, and for how many jobs it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) at_ns: u64,
    /// From 1 to [`MOST_JOBS_PER_STAMP`].
    pub(crate) jobs: u64,
}

/// One way into the pool: counts what it has accepted, and stamps it. It lives under the lock of that way in.
#[derive(Debug)]
pub(crate) struct Entrance {
    accepted: u64,
    /// The count at the last stamp, and when that was.
    stamped: u64,
    stamped_ns: u64,
    /// How many jobs there are to be from one stamp to the next.
    stride: u64,
}

impl Entrance {
    pub(crate) fn new() -> Entrance {
        Entrance { accepted: 0, stamped: 0, stamped_ns: 0, stride: 1 }
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted
    }

    /// Counts a job that is about to get in. `eager`: somebody sleeps and will be woken for it, beside which the clock costs
    /// nothing.
    #[inline]
    pub(crate) fn admit(&mut self, job: &Task, eager: bool) {
        self.accepted += 1;
        let jobs = self.accepted - self.stamped;
        if jobs >= self.stride || eager {
            let stamp = self.stamp(jobs);
            job.note_waiting(|waiting| waiting.stamp = Some(stamp));
        }
    }

    #[cold]
    fn stamp(&mut self, jobs: u64) -> Stamp {
        let at_ns = nanos(now());
        let gap_ns = at_ns.saturating_sub(self.stamped_ns) / jobs;
        self.stride = (APART_NS / gap_ns.max(1)).clamp(1, MOST_JOBS_PER_STAMP);
        (self.stamped, self.stamped_ns) = (self.accepted, at_ns);
        Stamp { at_ns, jobs }
    }
}

#[cfg(all(test, not(any(millpond_loom, millpond_shuttle))))]
mod tests {
    use super::*;
    use crate::{task::Origin, trace::Span};

    #[test]
    fn the_stamps_speak_for_every_job() {
        let mut entrance = Entrance::new();
        let mut spoken_for = 0;
        let origin = Origin::here();
        for turn in 0..100_000_u64 {
            let span = Span::of_job(origin, 0);
            let (job, _join) = Task::queued(0, origin, span, || std::future::ready(()));
            entrance.admit(&job, turn % 997 == 0);
            spoken_for += job.take_waiting().stamp.map_or(0, |stamp| stamp.jobs);
            assert!(entrance.accepted() - spoken_for < MOST_JOBS_PER_STAMP);
            job.never_start();
        }
        assert_eq!(entrance.accepted(), 100_000);
    }
}
