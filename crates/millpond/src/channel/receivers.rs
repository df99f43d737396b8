//! The receivers that wait, and which of them a message wakes.
//!
//! A message is not assigned to anyone: it stays in the channel, and whichever receiver is polled first takes it. What is
//! decided here is whom to wake.
//!
//! - A receiver that is sure to run at once: on a loop that sleeps, or on a plain thread in `recv_blocking`. It alone is
//!   woken, and until it has been polled no other is ([`State::roused`]): it takes what is there, and wakes the next for
//!   what it leaves.
//! - If there is none, the loops of all that wait are awake, and may compute for long. One receiver on each is woken:
//!   whichever loop is free first takes the message, and the others wait again. Of the receivers on other executors, of
//!   which nothing is known, one is woken.
//!
//! What must hold: *while there are messages and receivers wait, at least one receiver has been woken that has not been
//! polled, and its loop is not busy with anything else, or all loops with receivers are*. A receiver begins to wait under
//! both locks of its channel, which is empty then. A send looks here under its lock, so it sees each that began before.
//! Whoever was woken looks for what is left when it is polled or dropped, and wakes the next; a hint that its loop has no
//! time for is passed on (see [`hints`](super::hints)).

use crate::{
    context,
    panics::contain,
    remote::Remote,
    sync::{AtomicBool, Mutex, MutexGuard, fence, lock},
    task,
};
use std::{
    collections::VecDeque,
    mem,
    sync::{
        Arc,
        atomic::Ordering::{Relaxed, SeqCst},
    },
    task::Waker,
};

/// One channel's receivers that wait. Apart from the channel, so that a loop's hints need not know the type of a message.
pub(super) struct Receivers {
    state: Mutex<State>,
    /// Someone waits, and nobody has been roused for what is there. Written under the lock; a receiver that begins to wait
    /// or has been polled also holds the channel's locks meanwhile, so a send that reads it under its own is up to date.
    wanting: AtomicBool,
}

struct State {
    /// By ticket, so in the order in which they began to wait.
    waiting: VecDeque<Waiting>,
    /// The one that was woken as sure to run, until it is polled, dropped, or given up by its loop.
    roused: Option<u64>,
    next_ticket: u64,
}

struct Waiting {
    ticket: u64,
    waker: Waker,
    spot: Spot,
}

/// Where a receiver waits.
pub(super) enum Spot {
    /// On this loop: in one of its tasks, or in something between that has a waker of its own.
    Loop { remote: Arc<Remote>, in_task: bool },
    /// On a thread that does nothing else.
    Thread,
    /// In another executor.
    Elsewhere,
}

impl Spot {
    /// Of whoever is polled on this thread.
    pub(super) fn here(waker: &Waker) -> Spot {
        context::local().map_or(Spot::Elsewhere, |local| Spot::Loop {
            remote: Arc::clone(local.remote()),
            in_task: task::is_waker_of_one(waker),
        })
    }
}

impl Receivers {
    pub(super) fn new() -> Receivers {
        let state = State { waiting: VecDeque::new(), roused: None, next_ticket: 0 };
        Receivers { state: Mutex::new(state), wanting: AtomicBool::new(false) }
    }

    /// For a send, under its lock: it has to call `rouse` after.
    #[inline]
    pub(super) fn want(&self) -> bool {
        self.wanting.load(Relaxed)
    }

    /// Begins to wait, or goes on with another waker. Under both locks of the channel, which is empty. What comes back is
    /// to be dropped without them.
    pub(super) fn wait(&self, ticket: &mut Option<u64>, waker: Waker, spot: Spot) -> Option<impl Sized> {
        let mut state = lock(&self.state);
        if let Some(waiting) = ticket.and_then(|ticket| state.position(ticket)) {
            let waiting = &mut state.waiting[waiting];
            return Some((mem::replace(&mut waiting.waker, waker), mem::replace(&mut waiting.spot, spot)));
        }
        // Roused for something that another has taken: this receiver begins anew.
        state.forget_roused(*ticket);
        state.next_ticket += 1;
        *ticket = Some(state.next_ticket);
        let ticket = state.next_ticket;
        state.waiting.push_back(Waiting { ticket, waker, spot });
        self.tell(&state);
        None
    }

    /// Waits no more, and was woken or not. Under a lock of the channel that sends take. What comes back is to be dropped
    /// without it.
    pub(super) fn leave(&self, ticket: u64) -> Option<impl Sized> {
        let mut state = lock(&self.state);
        state.forget_roused(Some(ticket));
        let waiting = state.position(ticket).and_then(|waiting| state.waiting.remove(waiting));
        self.tell(&state);
        waiting
    }

    /// Wakes whoever should see to what is in the channel.
    #[cold]
    pub(super) fn rouse(self: &Arc<Self>) {
        self.rouse_next(lock(&self.state));
    }

    /// The loop of a receiver that was roused does something else first.
    pub(super) fn pass_on(self: &Arc<Self>, ticket: u64) {
        let mut state = lock(&self.state);
        if state.forget_roused(Some(ticket)) {
            self.rouse_next(state);
        }
    }

    /// Wakes everyone: the channel has closed.
    pub(super) fn rouse_all(&self) {
        let mut state = lock(&self.state);
        let all = mem::take(&mut state.waiting);
        self.tell(&state);
        drop(state);
        all.into_iter().for_each(Waiting::wake);
    }

    fn rouse_next<'a>(self: &'a Arc<Self>, mut state: MutexGuard<'a, State>) {
        // Each round takes one receiver off those that wait.
        while state.roused.is_none() {
            let Some(sure) = state.take_sure() else { return self.rouse_unsure(state) };
            state.roused = Some(sure.ticket);
            self.tell(&state);
            drop(state);
            let ticket = sure.ticket;
            let Spot::Loop { remote, .. } = &sure.spot else { return sure.wake() };
            let remote = Arc::clone(remote);
            remote.hints.leave(self, ticket, sure.waker.data().addr());
            fence(SeqCst);
            let rises_for_it = remote.seat.is_asleep();
            sure.wake();
            if rises_for_it {
                return;
            }
            remote.hints.take_back(self, ticket);
            state = lock(&self.state);
            // It may have been polled by now, or have been passed on: then that was seen to.
            if !state.forget_roused(Some(ticket)) {
                return;
            }
        }
        self.tell(&state);
    }

    fn rouse_unsure(&self, mut state: MutexGuard<'_, State>) {
        let unsure = state.take_unsure();
        self.tell(&state);
        drop(state);
        unsure.into_iter().for_each(Waiting::wake);
    }

    fn tell(&self, state: &State) {
        self.wanting.store(!state.waiting.is_empty() && state.roused.is_none(), Relaxed);
    }
}

impl State {
    fn position(&self, ticket: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket).ok()
    }

    /// True: it was this one.
    fn forget_roused(&mut self, ticket: Option<u64>) -> bool {
        let was = ticket.is_some() && self.roused == ticket;
        if was {
            self.roused = None;
        }
        was
    }

    /// The last to come of those that are sure to run: what it needs is still in its core's cache.
    fn take_sure(&mut self) -> Option<Waiting> {
        let is_sure = |waiting: &Waiting| match &waiting.spot {
            Spot::Loop { remote, .. } => remote.seat.is_asleep(),
            Spot::Thread => true,
            Spot::Elsewhere => false,
        };
        let sure = self.waiting.iter().rposition(is_sure)?;
        self.waiting.remove(sure)
    }

    /// One in the tasks of each loop, and the one that has waited longest elsewhere. On a loop, also those that are in no
    /// task of it: it may be a future there that blocks the thread until it is woken.
    fn take_unsure(&mut self) -> Vec<Waiting> {
        let mut seen: Vec<*const Remote> = Vec::new();
        let (unsure, left) = mem::take(&mut self.waiting).into_iter().partition(|waiting| {
            let spot = match &waiting.spot {
                Spot::Loop { in_task: false, .. } => return true,
                Spot::Loop { remote, .. } => Arc::as_ptr(remote),
                Spot::Thread | Spot::Elsewhere => std::ptr::null(),
            };
            let is_first = !seen.contains(&spot);
            if is_first {
                seen.push(spot);
            }
            is_first
        });
        self.waiting = left;
        unsure.into()
    }
}

impl Waiting {
    fn wake(self) {
        contain(|| self.waker.wake());
    }
}
