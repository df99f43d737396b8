//! What was computed: a count of each kind, and a checksum that does not depend on the order.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Write};
use std::iter::Sum;

use indicatif::HumanCount;

use crate::job::{Answer, Job, mix};

/// From one line of a worker to its next.
const PROGRESS_JOBS: u64 = 1_000_000;

thread_local! {
    /// The present worker's own: counting touches no memory that another thread writes.
    static TALLY: Cell<Tally> = Cell::default();
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// By `Kind`.
    kinds: [u64; 4],
    /// Of the divisions, those by zero.
    by_zero: u64,
    /// A sum over the jobs, each with its number and its answer, so that a job lost or run twice shows.
    pub(crate) checksum: u64,
}

/// Computes a job on the present worker and counts it.
pub(crate) fn compute(job: &Job) -> Answer {
    let answer = job.answer();
    let mut tally = TALLY.get();
    tally.add(job, answer);
    TALLY.set(tally);
    if tally.jobs() % PROGRESS_JOBS == 0 {
        // A lost line of progress is no reason to fail a job.
        let _ = writeln!(io::stderr(), "{}: {} jobs", millpond::worker_id(), HumanCount(tally.jobs()));
    }
    answer
}

pub(crate) fn of_this_worker() -> Tally {
    TALLY.get()
}

impl Tally {
    pub(crate) fn add(&mut self, job: &Job, answer: Answer) {
        self.kinds[job.kind as usize] += 1;
        self.by_zero += u64::from(answer.is_err());
        // No answer is this: it would take operands of more than 32 bits.
        let word = answer.unwrap_or(i64::MIN) as u64;
        self.checksum = self.checksum.wrapping_add(mix(job.number ^ mix(word)));
    }

    pub(crate) fn jobs(&self) -> u64 {
        self.kinds.iter().sum()
    }
}

impl Sum for Tally {
    fn sum<I: Iterator<Item = Tally>>(tallies: I) -> Tally {
        tallies.fold(Tally::default(), |mut sum, tally| {
            for (kind, count) in sum.kinds.iter_mut().zip(tally.kinds) {
                *kind += count;
            }
            sum.by_zero += tally.by_zero;
            sum.checksum = sum.checksum.wrapping_add(tally.checksum);
            sum
        })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [add, sub, mul, div] = self.kinds.map(HumanCount);
        write!(f, "Add {add}, Sub {sub}, Mul {mul}, Div {div} (by zero {})", HumanCount(self.by_zero))
    }
}
