//! What a loop was woken for, and passes on if it does something else first.
//!
//! A message goes to no receiver: a wake only hints at it. One waiting receiver is woken, on a loop that sleeps. But a
//! loop may rise for other work in the same moment, and compute for long before it polls that receiver. So the one that
//! wakes leaves a [`Hint`] with the loop, and only then looks whether the loop still sleeps:
//!
//! ```text
//! waking                                 loop
//!   leave the hint                         get up: seat := AWAKE
//!   fence                                  fence
//!   look at the seat                       before each poll: look for hints
//! ```
//!
//! The two fences are in one total order. If the waking side's comes first, the loop sees the hint before it polls
//! anything: it polls the receiver itself, which takes what is there and answers for the rest, or it is about to poll
//! something else, and passes the hint on, to another receiver that waits. If the loop's comes first, the waking side sees
//! it awake, takes the hint back, and goes on to another receiver by itself. Either way no message waits behind a loop
//! that computes, while a receiver waits on one that sleeps.

use super::receivers::Receivers;
use crate::sync::{AtomicBool, Mutex, lock};
use std::sync::{
    Arc,
    atomic::Ordering::{Acquire, Release},
};

/// In the place of a task's address, when the loop is about to poll none.
pub(crate) const NO_TASK: usize = 0;

/// The hints that one loop has not answered.
pub(crate) struct Hints {
    list: Mutex<Vec<Hint>>,
    /// The list is not empty. Written under its lock, for a look without it before each poll.
    any: AtomicBool,
}

/// One receiver on this loop was woken for a message.
struct Hint {
    receivers: Arc<Receivers>,
    ticket: u64,
    /// The address that its waker points to: the task that waits, if it is one of ours. Compared, never followed.
    task: usize,
}

impl Hints {
    pub(crate) fn new() -> Hints {
        Hints { list: Mutex::new(Vec::new()), any: AtomicBool::new(false) }
    }

    pub(super) fn leave(&self, receivers: &Arc<Receivers>, ticket: u64, task: usize) {
        let hint = Hint { receivers: Arc::clone(receivers), ticket, task };
        let mut list = lock(&self.list);
        list.push(hint);
        self.any.store(true, Release);
    }

    /// The receiver has been polled, or the one that woke it takes its hint back.
    pub(super) fn take_back(&self, receivers: &Receivers, ticket: u64) {
        if self.any.load(Acquire) {
            drop(self.take(|hint| hint.ticket == ticket && std::ptr::eq(&*hint.receivers, receivers)));
        }
    }

    /// The loop is about to poll `task`, or to sleep: what it was woken for otherwise, others should see to.
    #[inline]
    pub(crate) fn pass_on_but(&self, task: usize) {
        if self.any.load(Acquire) {
            self.pass_on(task);
        }
    }

    #[cold]
    fn pass_on(&self, task: usize) {
        for hint in self.take(|hint| hint.task != task) {
            hint.receivers.pass_on(hint.ticket);
        }
    }

    /// Gives them out: the last reference to a channel's receivers drops wakers, and that is not for under the lock.
    fn take(&self, which: impl Fn(&Hint) -> bool) -> Vec<Hint> {
        let mut taken = Vec::new();
        let mut list = lock(&self.list);
        let mut at = 0;
        while let Some(hint) = list.get(at) {
            if which(hint) {
                taken.push(list.swap_remove(at));
            } else {
                at += 1;
            }
        }
        self.any.store(!list.is_empty(), Release);
        taken
    }
}
