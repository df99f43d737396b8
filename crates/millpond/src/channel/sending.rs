//! A channel, as senders use it: a place for a message, and the wait for one.

use super::{
    lock::Guard,
    state::{Channel, Inbound, Outbound, WaitingSender},
};
use crate::panics::contain;
use std::task::{Context, Poll};

/// A place for one message, under the inbound lock.
pub(super) struct Place<'a, T> {
    channel: &'a Channel<T>,
    inbound: Guard<'a, Inbound<T>>,
}

/// Why there is none.
pub(super) enum NoPlace {
    Full,
    Closed,
}

impl<T> Channel<T> {
    /// A place for one message, if there is one. The message is not passed in, so that it stays in registers until it is
    /// written to its place: through memory, it costs twice as much as all the rest.
    #[inline]
    pub(super) fn place(&self) -> Result<Place<'_, T>, NoPlace> {
        let mut inbound = self.inbound.0.half.lock();
        if inbound.closed {
            return Err(NoPlace::Closed);
        }
        if !inbound.waiting.is_empty() || !self.has_room(&mut inbound) {
            return Err(NoPlace::Full);
        }
        Ok(Place { channel: self, inbound })
    }

    /// Sends `message`, or begins to wait with it, or goes on waiting. `ticket` is the one that waits, if it does.
    pub(super) fn poll_send(
        &self,
        message: &mut Option<T>,
        ticket: &mut Option<u64>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), T>> {
        if let Some(first) = message.take() {
            match self.place() {
                Ok(place) => {
                    place.fill(first);
                    return Poll::Ready(Ok(()));
                }
                Err(NoPlace::Closed) => return Poll::Ready(Err(first)),
                Err(NoPlace::Full) => return self.wait_for_room(first, ticket, cx),
            }
        }
        let Some(waiting) = *ticket else { panic!("a send was polled after its end") };
        let waker = cx.waker().clone();
        let mut inbound = self.inbound.0.half.lock();
        let Some(at) = inbound.position(waiting) else {
            drop(inbound);
            *ticket = None;
            return Poll::Ready(Ok(()));
        };
        if inbound.closed {
            let back = inbound.waiting.remove(at);
            drop(inbound);
            *ticket = None;
            return Poll::Ready(Err(back.expect("found just now").message));
        }
        // Woken by the take that moves the message into its room, or by `close`. Both look at it under this lock.
        let displaced = inbound.waiting[at].waker.replace(waker);
        drop(inbound);
        contain(|| drop(displaced));
        Poll::Pending
    }

    #[cold]
    fn wait_for_room(
        &self,
        message: T,
        ticket: &mut Option<u64>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), T>> {
        let waker = cx.waker().clone();
        let mut outbound = self.outbound.0.lock();
        let mut inbound = self.inbound.0.half.lock();
        if inbound.closed {
            drop((inbound, outbound));
            return Poll::Ready(Err(message));
        }
        if inbound.waiting.is_empty() && self.has_room(&mut inbound) {
            self.push(&mut inbound, message);
            let wanted = self.receivers.want();
            drop((inbound, outbound));
            if wanted {
                self.receivers.rouse();
            }
            return Poll::Ready(Ok(()));
        }
        // Woken by a take after this, which finds the mark, or by `close`.
        outbound.senders_wait = true;
        inbound.next_ticket += 1;
        let drawn = inbound.next_ticket;
        inbound.waiting.push_back(WaitingSender { ticket: drawn, message, waker: Some(waker) });
        *ticket = Some(drawn);
        Poll::Pending
    }

    /// Gives up a send that waits. Its message comes back, unless it has got in.
    pub(super) fn give_up_send(&self, ticket: u64) -> Option<T> {
        let mut inbound = self.inbound.0.half.lock();
        let given_up = inbound.position(ticket).and_then(|at| inbound.waiting.remove(at));
        drop(inbound);
        let WaitingSender { message, waker, .. } = given_up?;
        contain(|| drop(waker));
        Some(message)
    }

    /// Moves messages of senders that wait into the room that a take has made.
    #[cold]
    pub(super) fn serve(&self, mut outbound: Guard<'_, Outbound<T>>) {
        let mut served = Vec::new();
        let mut inbound = self.inbound.0.half.lock();
        while !inbound.closed && self.has_room(&mut inbound) {
            let Some(WaitingSender { message, waker, .. }) = inbound.waiting.pop_front() else {
                outbound.senders_wait = false;
                break;
            };
            self.push(&mut inbound, message);
            served.extend(waker);
        }
        let wanted = !served.is_empty() && self.receivers.want();
        drop((inbound, outbound));
        served.into_iter().for_each(|waker| contain(|| waker.wake()));
        if wanted {
            self.receivers.rouse();
        }
    }
}

impl<T> Place<'_, T> {
    #[inline]
    pub(super) fn fill(self, message: T) {
        let Place { channel, mut inbound } = self;
        channel.push(&mut inbound, message);
        let wanted = channel.receivers.want();
        drop(inbound);
        if wanted {
            channel.receivers.rouse();
        }
    }
}

impl<T> Inbound<T> {
    fn position(&self, ticket: u64) -> Option<usize> {
        self.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket).ok()
    }
}
