//! The phases of a pool's life, and the receipt of its end.

use crate::{
    panics::contain,
    sync::{AtomicU8, AtomicUsize, Mutex, lock},
    task::Outcome,
};
use std::{
    ops::AddAssign,
    sync::{
        OnceLock,
        atomic::Ordering::{AcqRel, Acquire},
    },
    task::{Context, Poll, Waker},
    time::Instant,
};

/// What a shutdown did to every job that the pool had accepted, in counts that add up to all of them.
///
/// Jobs are what any of the spawns accepted: on the workers, with `spawn_local`, there or in a `block_on`, and with
/// `spawn_blocking`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// for job in 0..10 {
///     drop(pool.spawn(move || async move { assert_ne!(job, 3) }));
/// }
/// let receipt = pool.shutdown_blocking();
/// assert_eq!((receipt.completed, receipt.panicked), (9, 1));
/// assert_eq!(receipt.accepted(), 10);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// Jobs that ran to their end.
    pub completed: u64,
    /// Jobs that panicked: in the closure, in the future, or in the future's drop.
    pub panicked: u64,
    /// Jobs that were aborted, started or not.
    pub aborted: u64,
    /// Jobs that had started, and were dropped by the shutdown.
    pub cut_off: u64,
    /// Jobs that were dropped before they started.
    pub never_started: u64,
    /// Jobs whose [deadline](crate::JobOptions::deadline) had passed when their turn came. They never started either.
    pub expired: u64,
}

impl Receipt {
    /// All the jobs that the pool had accepted: the sum of its counts.
    pub fn accepted(&self) -> u64 {
        self.completed + self.panicked + self.aborted + self.cut_off + self.never_started + self.expired
    }

    /// Counts a job that has ended by itself; `None` is one that an abort had called off.
    pub(crate) fn count(&mut self, outcome: Option<Outcome>) {
        match outcome {
            None | Some(Outcome::Cancelled) => self.aborted += 1,
            Some(Outcome::Completed) => self.completed += 1,
            Some(Outcome::Panicked) => self.panicked += 1,
            Some(Outcome::CutOff) => self.cut_off += 1,
            Some(Outcome::Expired) => self.expired += 1,
            Some(Outcome::Pending) => unreachable!("a pending job has not ended"),
        }
    }

    /// Counts a job that a shutdown found unstarted; `None` is one that an abort had called off.
    pub(crate) fn count_unstarted(&mut self, outcome: Option<Outcome>) {
        match outcome {
            None => self.aborted += 1,
            Some(_) => self.never_started += 1,
        }
    }
}

impl AddAssign for Receipt {
    fn add_assign(&mut self, other: Receipt) {
        self.completed += other.completed;
        self.panicked += other.panicked;
        self.aborted += other.aborted;
        self.cut_off += other.cut_off;
        self.never_started += other.never_started;
        self.expired += other.expired;
    }
}

/// How far the end of a pool has come. Phases only go up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Phase {
    Running,
    /// Nothing new is accepted; what was accepted runs to its end, or to the deadline.
    Draining,
    /// Everything is dropped.
    CutOff,
}

/// The pool's phase, written by the one that ends it and read by every loop at each step. A server's is of the same kind.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    phase: AtomicU8,
    /// When a drain turns into a cut-off. Written once, before the phase is `Draining`; read at each step of a drain.
    deadline: OnceLock<Instant>,
}

impl Lifecycle {
    pub(crate) fn new() -> Lifecycle {
        Lifecycle { phase: AtomicU8::new(Phase::Running as u8), deadline: OnceLock::new() }
    }

    pub(crate) fn phase(&self) -> Phase {
        match self.phase.load(Acquire) {
            0 => Phase::Running,
            1 => Phase::Draining,
            _ => Phase::CutOff,
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline.get().copied()
    }

    pub(crate) fn drain(&self, deadline: Option<Instant>) {
        if let Some(deadline) = deadline {
            // A pool is shut down once: the call that does so consumes it.
            let _ = self.deadline.set(deadline);
        }
        self.phase.fetch_max(Phase::Draining as u8, AcqRel);
    }

    pub(crate) fn cut_off(&self) {
        self.phase.fetch_max(Phase::CutOff as u8, AcqRel);
    }
}

/// Waits for the worker threads to end.
pub(crate) struct Exits {
    running: AtomicUsize,
    /// The one that awaits the shutdown.
    waker: Mutex<Option<Waker>>,
}

impl Exits {
    pub(crate) fn new(workers: usize) -> Exits {
        Exits { running: AtomicUsize::new(workers), waker: Mutex::new(None) }
    }

    /// The last thing that a worker's thread does for its pool.
    pub(crate) fn count_one(&self) {
        if self.running.fetch_sub(1, AcqRel) == 1 {
            let waker = lock(&self.waker).take();
            if let Some(waker) = waker {
                contain(|| waker.wake());
            }
        }
    }

    /// Ready once every worker has ended.
    pub(crate) fn poll_all(&self, cx: &mut Context<'_>) -> Poll<()> {
        // Woken by the last `count_one`. The waker is left first and the count read after; the count falls first and the
        // waker is taken after. So one of the two sees the other.
        let waker = cx.waker().clone();
        let displaced = lock(&self.waker).replace(waker);
        drop(displaced);
        if self.running.load(Acquire) == 0 { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Counts its worker as ended when it is dropped, also by a panic.
pub(crate) struct ExitGuard<'a>(pub(crate) &'a Exits);

impl Drop for ExitGuard<'_> {
    fn drop(&mut self) {
        self.0.count_one();
    }
}
