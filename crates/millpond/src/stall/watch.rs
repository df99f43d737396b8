//! What a pool's workers and its watch thread share.
//!
//! The thread sleeps for good while no worker has anything to do. A worker that gets something then wakes it, and must not
//! pay for that when it is awake. It is the hand-off of [`sleep`](crate::sleep) once more:
//!
//! ```text
//! worker                                 watch
//!   show what runs                         asleep := true
//!   fence                                  fence
//!   look at asleep                         look at every worker
//!   true: turn it to false, and            somebody runs something: asleep := false
//!   the one that turns it unparks          else park
//! ```
//!
//! One of the two fences comes first in their total order. So the worker sees that the watch sleeps, or the watch sees what
//! runs. The fence is the worker's only when it had nothing to do before, beside which it is nothing.
//!
//! After each wake the watch stays up for a quarter of the threshold at least. So a worker that is busy now and then wakes it
//! no more often than that.

use super::Stall;
use crate::{
    load::Load,
    sync::unmodelled::{Mutex, lock},
};
use rustix::thread::{Pid, gettid};
use std::{
    collections::VecDeque,
    sync::{
        OnceLock,
        atomic::{
            AtomicBool, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
            fence,
        },
    },
    thread::{self, Thread},
    time::{Duration, Instant},
};

/// Enough to see a pattern. With a backtrace each is some KiB.
const NEWEST_KEPT: usize = 32;

/// One pool's. The atomics are not of `sync`: in a model nobody watches.
pub(crate) struct Watch {
    /// `None`: nobody looks.
    threshold: Option<Duration>,
    /// The watch thread, once it is up. Set by it before `asleep` for the first time.
    thread: OnceLock<Thread>,
    /// The watch thread sleeps until a worker has something to do. Set by it, cleared by whoever wakes it.
    asleep: AtomicBool,
    /// The pool has ended, and the watch thread has to.
    ended: AtomicBool,
    /// In the order of the workers.
    workers: Box<[Watched]>,
    /// The last so many, oldest first.
    newest: Mutex<VecDeque<Stall>>,
}

/// One worker, as the watch thread knows it.
#[derive(Default)]
struct Watched {
    /// The worker's thread, by the kernel's number, from its start to its end. Whoever keeps the lock keeps the thread from
    /// its end, and so the number from becoming another's.
    thread: Mutex<Option<Pid>>,
    /// Goes up by the watch thread.
    stalls: AtomicU64,
}

/// A worker's thread can be asked for. Dropping it ends that.
pub(crate) struct OnWatch<'a>(&'a Watched);

impl Watch {
    pub(crate) fn new(workers: usize, threshold: Option<Duration>) -> Watch {
        Watch {
            threshold,
            thread: OnceLock::new(),
            asleep: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            workers: (0..workers).map(|_| Watched::default()).collect(),
            newest: Mutex::default(),
        }
    }

    pub(super) fn threshold(&self) -> Option<Duration> {
        self.threshold
    }

    /// The present thread is this worker's.
    pub(crate) fn enter(&self, worker: usize) -> OnWatch<'_> {
        let watched = &self.workers[worker];
        // Nobody asks for it in a model, and Miri has no such call.
        let can_be_asked = !cfg!(any(millpond_loom, millpond_shuttle, miri)) && self.threshold.is_some();
        *lock(&watched.thread) = can_be_asked.then(gettid);
        OnWatch(watched)
    }

    /// A worker that had nothing to do shows that it runs something.
    pub(crate) fn a_worker_is_up(&self) {
        if self.threshold.is_some() {
            fence(SeqCst);
            if self.asleep.load(Relaxed) {
                self.wake();
            }
        }
    }

    #[cold]
    fn wake(&self) {
        if self.asleep.swap(false, AcqRel) {
            self.thread.get().expect("set by the thread that sleeps").unpark();
        }
    }

    /// The present thread is the watch.
    pub(super) fn begin(&self) {
        let is_first = self.thread.set(thread::current()).is_ok();
        debug_assert!(is_first, "a pool has one watch");
    }

    /// Waits for so long. False: the pool has ended.
    pub(super) fn pause(&self, period: Duration) -> bool {
        let begun = Instant::now();
        let left = || period.checked_sub(begun.elapsed()).filter(|left| !left.is_zero());
        while !self.has_ended() {
            // Ended by the time, or by `end`, whose unpark leaves its token if it comes before the park. That of a worker is
            // for a sleep that is over.
            match left() {
                Some(left) => thread::park_timeout(left),
                None => return true,
            }
        }
        false
    }

    /// Sleeps until one of the workers has something to do. At once, if one has already.
    pub(super) fn sleep<'a>(&self, mut workers: impl Iterator<Item = &'a Load>) {
        // A release: whoever sees it finds `thread`.
        self.asleep.store(true, Release);
        fence(SeqCst);
        if workers.any(|worker| worker.running().is_some()) {
            self.asleep.store(false, Relaxed);
        }
        while self.asleep.load(Acquire) && !self.has_ended() {
            // Ended by the worker that clears the flag, which sees it by the proof above, or by `end`. Both unpark after they
            // have written what is looked at here, and leave a token if they come before the park.
            thread::park();
        }
    }

    /// Has the watch thread end.
    pub(super) fn end(&self, thread: &Thread) {
        self.ended.store(true, Release);
        thread.unpark();
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Acquire)
    }

    /// Runs `f` with the number of the worker's thread, which does not end meanwhile. `None`: it is not up, or no more.
    pub(super) fn with_thread<R>(&self, worker: usize, f: impl FnOnce(Pid) -> R) -> Option<R> {
        lock(&self.workers[worker].thread).map(f)
    }

    pub(super) fn count(&self, worker: usize) {
        self.workers[worker].stalls.fetch_add(1, Relaxed);
    }

    pub(super) fn keep(&self, stall: &Stall) {
        let mut newest = lock(&self.newest);
        if newest.len() == NEWEST_KEPT {
            newest.pop_front();
        }
        newest.push_back(stall.clone());
    }

    /// How many of this worker there have been.
    pub(crate) fn count_of(&self, worker: usize) -> u64 {
        self.workers[worker].stalls.load(Relaxed)
    }

    /// The newest, oldest first.
    pub(crate) fn newest(&self) -> Vec<Stall> {
        lock(&self.newest).iter().cloned().collect()
    }
}

impl Drop for OnWatch<'_> {
    fn drop(&mut self) {
        *lock(&self.0.thread) = None;
    }
}
