//! The states of a task, in one word, and each step between them as a method.
//!
//! A job is *queued* until a worker starts it, then *idle* or *running* in turns, then *complete*. Who may touch
//! what follows from the bits:
//!
//! - `RUNNING` owns the stage (closure, future or output). It is held by the worker that polls or drops the task, or,
//!   while the task is still queued, by whoever called it off. At most one thread holds it.
//! - `STARTED` says that the home is written and that from now on only the home's thread sets `RUNNING`.
//! - `COMPLETE` hands the stage to the join handle if `JOIN` is set; if not, the completer drops the output.
//! - `NOTIFIED` says that a reference to the task is in a queue, or that its runner will put one there. A wake that
//!   finds it set has nothing to do, so a task is queued once however often it is woken.
//! - `JOIN_WAKER` lends the waker's slot to whoever ends the task. The handle writes the slot only while the bit is clear
//!   and the task is not over. The one that ended the task gives the slot back when it has woken the waker; the last of
//!   the two to be done with it empties it, so that no waker lives as long as a handle or a cell that someone keeps.
//! - `GIVEN_UP` ends the handle's wait for a blocking closure that a shutdown will not wait for.
//! - `PANICKED` and `EXPIRED` say, once the task is complete, how.

use crate::sync::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};

const NOTIFIED: usize = 1;
const RUNNING: usize = 1 << 1;
const STARTED: usize = 1 << 2;
const COMPLETE: usize = 1 << 3;
const ABORTED: usize = 1 << 4;
const JOIN: usize = 1 << 5;
const JOIN_WAKER: usize = 1 << 6;
const GIVEN_UP: usize = 1 << 7;
const PANICKED: usize = 1 << 8;
const EXPIRED: usize = 1 << 9;
/// The rest of the word counts references.
const REFERENCE: usize = 1 << 10;

/// The handle has its answer: nothing that happens to the task now changes it.
const OVER: usize = COMPLETE | GIVEN_UP;

/// The state word of one task.
pub(crate) struct State(AtomicUsize);

/// What a runner finds when it takes a notified task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BeginPoll {
    Poll,
    /// An abort came first; the runner now holds `RUNNING` and drops the future.
    Abort,
    /// It completed while its reference was queued.
    Gone,
}

/// What a runner does after a poll that was pending.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EndPoll {
    Idle,
    /// Woken while it ran: the runner queues it again.
    Again,
    /// Aborted while it ran: the runner still holds `RUNNING` and drops the future.
    Abort,
}

/// What an abort has to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Abort {
    /// It is over, or an abort is already under way, or its runner will see the mark.
    Nothing,
    /// It had not started, and never will: the caller holds `RUNNING` and drops the closure.
    CalledOff,
    /// It is idle: the caller got a reference and sends it to the task's home.
    Notify,
}

/// What a cut-off finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CutOff {
    /// A wake has claimed the task, and queued it.
    pub(crate) claimed: bool,
    /// An abort was asked for before.
    pub(crate) aborted: bool,
}

/// What is left to a handle that goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Leave {
    /// The task runs on, and will not look at the slot: the handle empties it.
    Detached,
    /// The task is over.
    Over {
        /// The output is there, and the handle's to drop if it has not taken it.
        output: bool,
        /// The slot has been given back, and is the handle's to empty.
        slot: bool,
    },
}

/// Whom a task's end concerns.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// A handle will take the output; without one the completer drops it.
    pub(crate) joined: bool,
    /// The slot holds a waker to wake.
    pub(crate) has_waker: bool,
    /// The completer's reference was dropped with the end: the cell is no longer its to touch.
    pub(crate) released: bool,
}

impl State {
    /// A queued job: one reference for the queue, one for its handle.
    pub(crate) fn queued() -> State {
        State(AtomicUsize::new(NOTIFIED | JOIN | (2 * REFERENCE)))
    }

    /// A task of the present thread, started and ready: references for the table, the run queue and the handle.
    pub(crate) fn local() -> State {
        State(AtomicUsize::new(NOTIFIED | STARTED | JOIN | (3 * REFERENCE)))
    }

    /// Queued to running. False: called off before, and its handle has been told.
    pub(crate) fn start(&self) -> bool {
        self.update(|now| {
            (now & (ABORTED | RUNNING | OVER) == 0).then_some((now & !NOTIFIED) | STARTED | RUNNING)
        })
        .is_ok()
    }

    /// Queued to running, for the sake of dropping the closure. False: it has started, or someone else was first.
    pub(crate) fn call_off(&self) -> bool {
        self.update(|now| (now & (STARTED | RUNNING | OVER) == 0).then_some(now | RUNNING)).is_ok()
    }

    /// As [`call_off`](Self::call_off), because the job's deadline has passed.
    pub(crate) fn expire(&self) -> bool {
        let expired = RUNNING | EXPIRED;
        self.update(|now| (now & (STARTED | RUNNING | OVER) == 0).then_some(now | expired)).is_ok()
    }

    /// Ready to running. The caller is the home's thread, with the reference that `NOTIFIED` speaks of.
    pub(crate) fn begin_poll(&self) -> BeginPoll {
        match self.update(|now| (now & OVER == 0).then_some((now & !NOTIFIED) | RUNNING)) {
            Ok(before) if before & ABORTED != 0 => BeginPoll::Abort,
            Ok(_) => BeginPoll::Poll,
            Err(_) => BeginPoll::Gone,
        }
    }

    /// Running to idle or ready, after a pending poll.
    pub(crate) fn end_poll(&self) -> EndPoll {
        match self.update(|now| (now & ABORTED == 0).then_some(now & !RUNNING)) {
            Ok(before) if before & NOTIFIED != 0 => EndPoll::Again,
            Ok(_) => EndPoll::Idle,
            Err(_) => EndPoll::Abort,
        }
    }

    /// Idle or ready to running, to drop the future as its loop ends. The caller is the home's thread. `None`: it is over.
    pub(crate) fn begin_cut_off(&self) -> Option<CutOff> {
        let before = self.update(|now| (now & OVER == 0).then_some(now | RUNNING)).ok()?;
        Some(CutOff { claimed: before & NOTIFIED != 0, aborted: before & ABORTED != 0 })
    }

    /// Running to complete. The output is stored already.
    pub(crate) fn complete(&self, panicked: bool) -> Ended {
        let end = if panicked { COMPLETE | PANICKED } else { COMPLETE };
        Ended::from_bits(self.update(|now| Some((now & !RUNNING) | end)).unwrap_or_else(|now| now))
    }

    /// As [`complete`](Self::complete), and drops the caller's reference in the same step if there is nothing else to do
    /// for the end: a handle is there, which has a reference of its own, and no waker.
    pub(crate) fn complete_and_release(&self, panicked: bool) -> Ended {
        let end = if panicked { COMPLETE | PANICKED } else { COMPLETE };
        let quiet = |now| now & (JOIN | JOIN_WAKER | GIVEN_UP) == JOIN;
        let completed = self.update(|now| {
            let after = (now & !RUNNING) | end;
            Some(if quiet(now) { after - REFERENCE } else { after })
        });
        let before = completed.unwrap_or_else(|now| now);
        Ended { released: quiet(before), ..Ended::from_bits(before) }
    }

    /// The handle's reference is the last, the output is its own, and nobody looks at the slot: what is left to the handle
    /// needs no step between threads.
    pub(crate) fn is_left_to_handle(&self) -> bool {
        // Acquire: pairs with the steps that dropped the other references.
        let now = self.0.load(Acquire);
        now / REFERENCE == 1 && now & (COMPLETE | GIVEN_UP | JOIN_WAKER) == COMPLETE
    }

    /// Not complete to given up: the handle is answered, and the completer will drop the output. None: it is over.
    pub(crate) fn give_up(&self) -> Option<Ended> {
        self.update(|now| (now & OVER == 0).then_some(now | GIVEN_UP)).ok().map(Ended::from_bits)
    }

    /// The one that ended the task is done with the slot. True: the handle has gone, and the slot is the caller's to empty.
    pub(crate) fn give_slot_back(&self) -> bool {
        self.0.fetch_and(!JOIN_WAKER, AcqRel) & JOIN == 0
    }

    /// Notes a wake. True: the task was idle, and the caller queues it with a reference of its own.
    ///
    /// Always a read-modify-write, also when there is nothing to do: it publishes what the waker wrote to the poll
    /// that will clear the bit.
    pub(crate) fn notify(&self) -> bool {
        self.0.fetch_or(NOTIFIED, AcqRel) & (NOTIFIED | RUNNING | OVER) == 0
    }

    /// Notes an abort and says what is left to do for it.
    pub(crate) fn abort(&self) -> Abort {
        let marked = self.update(|now| {
            if now & (ABORTED | OVER) != 0 {
                None
            } else if now & STARTED == 0 {
                (now & RUNNING == 0).then_some(now | ABORTED | RUNNING)
            } else if now & (NOTIFIED | RUNNING) == 0 {
                Some((now | ABORTED | NOTIFIED) + REFERENCE)
            } else {
                Some(now | ABORTED)
            }
        });
        match marked {
            Ok(before) if before & STARTED == 0 => Abort::CalledOff,
            Ok(before) if before & (NOTIFIED | RUNNING) == 0 => Abort::Notify,
            _ => Abort::Nothing,
        }
    }

    pub(crate) fn is_started(&self) -> bool {
        self.0.load(Acquire) & STARTED != 0
    }

    /// The handle has its answer.
    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Acquire) & OVER != 0
    }

    pub(crate) fn is_panicked(&self) -> bool {
        self.0.load(Acquire) & PANICKED != 0
    }

    pub(crate) fn is_expired(&self) -> bool {
        self.0.load(Acquire) & EXPIRED != 0
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.0.load(Acquire) & GIVEN_UP != 0
    }

    pub(crate) fn has_join_waker(&self) -> bool {
        self.0.load(Acquire) & JOIN_WAKER != 0
    }

    /// Lends the slot, which the handle has just written, to the completer. False: the task is over.
    pub(crate) fn lend_join_waker(&self) -> bool {
        self.update(|now| (now & OVER == 0).then_some(now | JOIN_WAKER)).is_ok()
    }

    /// Takes the slot back, to write another waker. False: the task is over, and the slot stays lent.
    pub(crate) fn reclaim_join_waker(&self) -> bool {
        self.update(|now| (now & OVER == 0).then_some(now & !JOIN_WAKER)).is_ok()
    }

    /// The handle goes.
    pub(crate) fn drop_join(&self) -> Leave {
        let left = self.update(|now| {
            let kept = if now & OVER == 0 { !(JOIN | JOIN_WAKER) } else { !JOIN };
            Some(now & kept)
        });
        let before = left.unwrap_or_else(|now| now);
        if before & OVER == 0 {
            return Leave::Detached;
        }
        Leave::Over { output: before & GIVEN_UP == 0, slot: before & JOIN_WAKER == 0 }
    }

    pub(crate) fn add_reference(&self) {
        // Relaxed: the caller holds a reference already, so the count cannot reach zero meanwhile.
        let before = self.0.fetch_add(REFERENCE, Relaxed);
        // As std's Arc does: a count that overflows has been leaked on purpose, and going on would free live memory.
        if before > isize::MAX as usize {
            std::process::abort();
        }
    }

    /// True: it was the last reference. `AcqRel` orders every holder's last use before the memory is freed.
    pub(crate) fn drop_reference(&self) -> bool {
        self.0.fetch_sub(REFERENCE, AcqRel) / REFERENCE == 1
    }

    /// One step: `next` maps the word to its successor, or to `None` where the step does not apply. The word before
    /// the step comes back, as `Err` when it did not apply.
    fn update(&self, mut next: impl FnMut(usize) -> Option<usize>) -> Result<usize, usize> {
        let mut now = self.0.load(Acquire);
        while let Some(after) = next(now) {
            match self.0.compare_exchange_weak(now, after, AcqRel, Acquire) {
                Ok(before) => return Ok(before),
                Err(other) => now = other,
            }
        }
        Err(now)
    }
}

impl Ended {
    fn from_bits(bits: usize) -> Ended {
        // After a task was given up, its handle is no longer the completer's concern.
        let concerned = bits & GIVEN_UP == 0;
        Ended {
            joined: concerned && bits & JOIN != 0,
            has_waker: concerned && bits & JOIN_WAKER != 0,
            released: false,
        }
    }
}
