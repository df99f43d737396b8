//! How many connections a server has room for, and who is told when a place becomes free.
//!
//! Two sides, as in `sleep`:
//!
//! ```text
//! who wants a place                      who gives one back
//!   finds none                             the count falls
//!   writes: I want one                     fence
//!   fence                                  reads whether one is wanted,
//!   looks once more                        or whether the server ends
//!   waits                                  if so, tells
//! ```
//!
//! One of the two fences comes first: so the one sees the place, or the other sees the wish. The end of a server is the
//! same, with the phase in place of the wish: whoever waits for the last place to be given back has written the phase, or
//! read it, before the fence.

use crate::{
    padded::Padded,
    sync::{AtomicBool, AtomicUsize, fence},
};
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, SeqCst};

/// The places of one server, taken and free.
#[derive(Debug)]
pub(crate) struct Room {
    most: usize,
    most_per_worker: usize,
    /// Places taken: by connections, and by whoever is about to accept one.
    taken: AtomicUsize,
    /// The same of each worker.
    by_worker: Box<[Padded<AtomicUsize>]>,
    /// Somebody found no place and waits for one.
    wanted: AtomicBool,
}

/// What there is to do after a place was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Freed {
    /// Tell those who wait for a place.
    pub(crate) is_wanted: bool,
    /// No place is taken any more: tell who waits for the end, if the server is at its end.
    pub(crate) was_last: bool,
}

impl Room {
    pub(crate) fn new(most: usize, most_per_worker: usize, workers: usize) -> Room {
        Room {
            most,
            most_per_worker,
            taken: AtomicUsize::new(0),
            by_worker: (0..workers).map(|_| Padded(AtomicUsize::new(0))).collect(),
            wanted: AtomicBool::new(false),
        }
    }

    pub(crate) fn workers(&self) -> usize {
        self.by_worker.len()
    }

    /// The places taken on a worker, if it has one more.
    pub(crate) fn on(&self, worker: usize) -> Option<usize> {
        let taken = self.by_worker[worker].load(Relaxed);
        (taken < self.most_per_worker).then_some(taken)
    }

    /// Takes a place on the worker that `choose` names, if there is one and it names one. `None`: `freed` will tell.
    pub(crate) fn take(
        &self,
        mut choose: impl FnMut() -> Option<usize>,
        mut freed: impl FnMut(Freed),
    ) -> Option<usize> {
        let mut look = || {
            if self.taken.load(Relaxed) >= self.most {
                return None;
            }
            let worker = choose()?;
            self.take_on(worker, &mut freed).then_some(worker)
        };
        look().or_else(|| {
            self.wanted.store(true, Relaxed);
            fence(SeqCst);
            look()
        })
    }

    fn take_on(&self, worker: usize, freed: &mut impl FnMut(Freed)) -> bool {
        let below = |count: &AtomicUsize, most: usize| {
            count.fetch_update(AcqRel, Relaxed, |count| (count < most).then_some(count + 1)).is_ok()
        };
        if !below(&self.taken, self.most) {
            return false;
        }
        let taken = below(&self.by_worker[worker], self.most_per_worker);
        if !taken {
            // Another was sooner, who may have found none in all because of this one.
            freed(self.give_back());
        }
        taken
    }

    /// Gives a place back that was taken on a worker.
    pub(crate) fn give_back_on(&self, worker: usize) -> Freed {
        self.by_worker[worker].fetch_sub(1, AcqRel);
        self.give_back()
    }

    fn give_back(&self) -> Freed {
        let was_last = self.taken.fetch_sub(1, AcqRel) == 1;
        Freed { is_wanted: self.take_wish(), was_last }
    }

    /// Whether somebody wants a place, who is to be told. After a count has fallen.
    fn take_wish(&self) -> bool {
        fence(SeqCst);
        // Nearly always nobody wants one, and then nothing is written.
        self.wanted.load(Relaxed) && self.wanted.swap(false, Relaxed)
    }

    /// Takes a place on another worker in place of one, whether or not there is room there.
    pub(crate) fn change(&self, from: usize, to: usize) -> Freed {
        self.by_worker[to].fetch_add(1, AcqRel);
        self.by_worker[from].fetch_sub(1, AcqRel);
        Freed { is_wanted: self.take_wish(), was_last: false }
    }

    /// Whether no place is taken; for whoever has written or read by now that the server ends.
    pub(crate) fn is_empty_at_the_end(&self) -> bool {
        fence(SeqCst);
        self.taken.load(Acquire) == 0
    }
}
