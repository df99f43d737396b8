//! A channel, as receivers use it: what is there, and the wait for it.

use super::{
    blocks::Emptying,
    linger::{RUSH, linger},
    receivers::Spot,
    state::{Channel, Inbound, Outbound},
};
use crate::{context, panics::contain};
use std::{
    sync::atomic::Ordering::{Acquire, Relaxed, Release},
    task::{Poll, Waker},
};

/// What a look at the channel found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Took {
    Some,
    Empty,
    Closed,
}

/// What a receiver wants. It is called under the outbound lock, with a half that is not empty, and takes at least one.
pub(super) trait Want<T> {
    fn take(&mut self, messages: &mut Emptying<T>, receivers: usize) -> usize;
}

impl<T> Channel<T> {
    /// Takes what is there, if there is anything.
    #[inline]
    pub(super) fn try_take(&self, want: &mut impl Want<T>) -> Took {
        // Before the look: what was sent before the close is seen after it.
        let closed = self.is_closed();
        let mut outbound = self.outbound.0.lock();
        if outbound.messages.is_empty() {
            if self.inbound.0.sent.load(Acquire) == outbound.taken {
                return if closed { Took::Closed } else { Took::Empty };
            }
            let mut inbound = self.inbound.0.half.lock();
            self.refill(&mut outbound, &mut inbound);
        }
        self.take(&mut outbound, want);
        if outbound.senders_wait {
            self.serve(outbound);
        }
        Took::Some
    }

    /// Takes what is there, or begins to wait, or goes on waiting. `ticket` is the one that waits, if it does.
    pub(super) fn poll_take(
        &self,
        want: &mut impl Want<T>,
        ticket: &mut Option<u64>,
        waker: &Waker,
        spot: impl FnOnce(&Waker) -> Spot,
    ) -> Poll<Took> {
        if ticket.is_none() {
            let took = self.try_take(want);
            if took != Took::Empty {
                return Poll::Ready(took);
            }
            if let Some(took) = self.linger(want) {
                return Poll::Ready(took);
            }
        }
        let (waker, spot) = (waker.clone(), spot(waker));
        let mut outbound = self.outbound.0.lock();
        let mut inbound = self.inbound.0.half.lock();
        if outbound.messages.is_empty() {
            self.refill(&mut outbound, &mut inbound);
        }
        if outbound.messages.is_empty() && !inbound.closed {
            // Woken by a later send, which finds it, or by `close`.
            let displaced = self.receivers.wait(ticket, waker, spot);
            drop((inbound, outbound));
            contain(|| drop(displaced));
            return Poll::Pending;
        }
        let waited = ticket.take();
        let left = waited.map(|ticket| self.receivers.leave(ticket));
        let mut took = Took::Closed;
        if !outbound.messages.is_empty() {
            self.take(&mut outbound, want);
            took = Took::Some;
        }
        let more = inbound.sent != outbound.taken;
        drop(inbound);
        if outbound.senders_wait {
            self.serve(outbound);
        } else {
            drop(outbound);
        }
        contain(|| drop(left));
        if let Some(ticket) = waited {
            self.answer(ticket, more);
        }
        Poll::Ready(took)
    }

    /// Looks again a few times after a rush, unless the loop here has something else to do.
    fn linger(&self, want: &mut impl Want<T>) -> Option<Took> {
        if !self.rush.load(Relaxed) || context::local().is_some_and(|local| local.has_ready()) {
            return None;
        }
        let took = linger(|| {
            let took = if self.is_empty() { Took::Empty } else { self.try_take(want) };
            (took != Took::Empty).then_some(took)
        });
        if took.is_none() {
            self.rush.store(false, Relaxed);
        }
        took
    }

    /// A receiver that may have been woken has been polled, or is dropped: what is left, another should see to.
    fn answer(&self, ticket: u64, more: bool) {
        if let Some(local) = context::local() {
            local.remote().hints.take_back(&self.receivers, ticket);
        }
        if more {
            self.receivers.rouse();
        }
    }

    /// Gives up a receive that waits.
    pub(super) fn give_up_take(&self, ticket: u64) {
        let inbound = self.inbound.0.half.lock();
        let left = self.receivers.leave(ticket);
        let more = inbound.sent != self.taken.0.load(Acquire);
        drop(inbound);
        contain(|| drop(left));
        self.answer(ticket, more);
    }

    fn refill(&self, outbound: &mut Outbound<T>, inbound: &mut Inbound<T>) {
        outbound.messages.refill(&mut inbound.messages);
        // Read first: the flag shares a line with much that all read.
        if outbound.messages.len() >= RUSH && !self.rush.load(Relaxed) {
            self.rush.store(true, Relaxed);
        }
    }

    #[inline]
    fn take(&self, outbound: &mut Outbound<T>, want: &mut impl Want<T>) {
        let taken = want.take(&mut outbound.messages, self.receiver_handles.load(Relaxed));
        outbound.taken = outbound.taken.wrapping_add(taken);
        self.taken.0.store(outbound.taken, Release);
    }
}
