//! A channel's two halves, and all that happens between them.
//!
//! Senders fill the *inbound* half, receivers empty the *outbound* one, each under its own lock, so that the two do not
//! meet at each message. Whatever concerns both takes both locks, the outbound one first: to pass messages over, to begin
//! to wait, to close.
//!
//! - A receiver begins to wait under both, when both halves are empty. So every later send finds it ([`Receivers`]).
//! - A sender begins to wait for room under both, when there is none. Its message waits in the inbound half, and a mark in
//!   the outbound one. So every later take finds the mark, and moves messages of senders that wait into the room that it
//!   has made, the longest waiting first. While one waits, no other send gets in before it.
//!
//! How many messages there are is `sent` less `taken`. Only senders write the one and only receivers the other, each under
//! its own lock. A sender may know of fewer taken than there are, never of more; if it finds no room it reads `taken` anew.
//! So the capacity holds at every instant.
//!
//! Wakers and messages are foreign code: none is woken, cloned or dropped under a lock.

use super::{
    blocks::{Emptying, Filling},
    linger::{RUSH, linger},
    lock::{Guard, Lock},
    receivers::{Receivers, Spot},
};
use crate::{
    context,
    panics::contain,
    sync::{AtomicBool, AtomicUsize},
};
use std::{
    collections::VecDeque,
    fmt, mem,
    sync::{
        Arc,
        atomic::Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
    task::{Context, Poll, Waker},
};

pub(super) struct Channel<T> {
    outbound: Padded<Lock<Outbound<T>>>,
    inbound: Padded<Inside<T>>,
    /// All that was ever taken. Written under the outbound lock.
    taken: Padded<AtomicUsize>,
    pub(super) receivers: Arc<Receivers>,
    /// `usize::MAX` for an unbounded channel.
    capacity: usize,
    /// No message gets in any more. Written under both locks.
    closed: AtomicBool,
    /// Receivers find many messages at once: see [`linger`].
    rush: AtomicBool,
    sender_handles: AtomicUsize,
    receiver_handles: AtomicUsize,
}

/// Keeps what one side writes off the lines of the other: two lines, as some processors fetch them in pairs.
#[repr(align(128))]
struct Padded<T>(T);

struct Inside<T> {
    half: Lock<Inbound<T>>,
    /// All that was ever sent. Written under the lock, for a look without it.
    sent: AtomicUsize,
}

struct Inbound<T> {
    messages: Filling<T>,
    sent: usize,
    /// What a sender last read of `taken`.
    known_taken: usize,
    closed: bool,
    /// Senders that wait for room, by ticket.
    waiting: VecDeque<WaitingSender<T>>,
    next_ticket: u64,
}

struct WaitingSender<T> {
    ticket: u64,
    message: T,
    /// Taken out by the close, which leaves the message for the send to take back.
    waker: Option<Waker>,
}

struct Outbound<T> {
    messages: Emptying<T>,
    taken: usize,
    /// A sender may wait for room.
    senders_wait: bool,
}

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
    pub(super) fn new(capacity: usize) -> Channel<T> {
        let inbound = Inbound {
            messages: Filling::new(),
            sent: 0,
            known_taken: 0,
            closed: false,
            waiting: VecDeque::new(),
            next_ticket: 0,
        };
        let outbound = Outbound { messages: Emptying::new(), taken: 0, senders_wait: false };
        Channel {
            outbound: Padded(Lock::new(outbound)),
            inbound: Padded(Inside { half: Lock::new(inbound), sent: AtomicUsize::new(0) }),
            taken: Padded(AtomicUsize::new(0)),
            receivers: Arc::new(Receivers::new()),
            capacity,
            closed: AtomicBool::new(false),
            rush: AtomicBool::new(false),
            sender_handles: AtomicUsize::new(1),
            receiver_handles: AtomicUsize::new(1),
        }
    }

    pub(super) fn capacity(&self) -> Option<usize> {
        (self.capacity != usize::MAX).then_some(self.capacity)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Acquire)
    }

    pub(super) fn len(&self) -> usize {
        // Under the lock, so that no more is sent between the two readings.
        let inbound = self.inbound.0.half.lock();
        inbound.sent.wrapping_sub(self.taken.0.load(Acquire))
    }

    pub(super) fn is_empty(&self) -> bool {
        let taken = self.taken.0.load(Acquire);
        self.inbound.0.sent.load(Acquire) == taken
    }

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
        place: impl FnOnce(&Waker) -> Spot,
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
        let (waker, place) = (waker.clone(), place(waker));
        let mut outbound = self.outbound.0.lock();
        let mut inbound = self.inbound.0.half.lock();
        if outbound.messages.is_empty() {
            self.refill(&mut outbound, &mut inbound);
        }
        if outbound.messages.is_empty() && !inbound.closed {
            // Woken by a later send, which finds it, or by `close`.
            let displaced = self.receivers.wait(ticket, waker, place);
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

    /// No message gets in any more. Those who wait are told.
    pub(super) fn close(&self) {
        let mut outbound = self.outbound.0.lock();
        let mut inbound = self.inbound.0.half.lock();
        inbound.closed = true;
        self.closed.store(true, Release);
        // Their messages stay, for the sends to take back.
        outbound.senders_wait = false;
        let wakers: Vec<Waker> =
            inbound.waiting.iter_mut().filter_map(|waiting| waiting.waker.take()).collect();
        drop((inbound, outbound));
        wakers.into_iter().for_each(|waker| contain(|| waker.wake()));
        self.receivers.rouse_all();
    }

    pub(super) fn add_sender(&self) {
        self.sender_handles.fetch_add(1, Relaxed);
    }

    /// The last one closes.
    pub(super) fn drop_sender(&self) {
        if self.sender_handles.fetch_sub(1, AcqRel) == 1 {
            self.close();
        }
    }

    pub(super) fn add_receiver(&self) {
        self.receiver_handles.fetch_add(1, Relaxed);
    }

    /// The last one closes, and drops what is there.
    pub(super) fn drop_receiver(&self) {
        if self.receiver_handles.fetch_sub(1, AcqRel) == 1 {
            self.close();
            self.drop_messages();
        }
    }

    fn drop_messages(&self) {
        let mut outbound = self.outbound.0.lock();
        let mut inbound = self.inbound.0.half.lock();
        let older = mem::replace(&mut outbound.messages, Emptying::new());
        let newer = mem::replace(&mut inbound.messages, Filling::new());
        outbound.taken = inbound.sent;
        self.taken.0.store(outbound.taken, Release);
        drop((inbound, outbound));
        older.drop_each();
        newer.drop_each();
    }

    #[inline]
    fn has_room(&self, inbound: &mut Inbound<T>) -> bool {
        if inbound.sent.wrapping_sub(inbound.known_taken) < self.capacity {
            return true;
        }
        // Acquire is not for data, which the locks pass over; it bounds how stale the count may be by what the caller knows.
        inbound.known_taken = self.taken.0.load(Acquire);
        inbound.sent.wrapping_sub(inbound.known_taken) < self.capacity
    }

    #[inline]
    fn push(&self, inbound: &mut Inbound<T>, message: T) {
        inbound.messages.push(message);
        inbound.sent = inbound.sent.wrapping_add(1);
        self.inbound.0.sent.store(inbound.sent, Release);
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

    /// Moves messages of senders that wait into the room that a take has made.
    #[cold]
    fn serve(&self, mut outbound: Guard<'_, Outbound<T>>) {
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

impl<T> Channel<T> {
    /// For the two ends.
    pub(super) fn fmt(&self, f: &mut fmt::Formatter<'_>, end: &str) -> fmt::Result {
        f.debug_struct(end)
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .finish()
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
