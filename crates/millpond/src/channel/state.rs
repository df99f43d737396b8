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
    lock::Lock,
    receivers::Receivers,
};
use crate::{
    padded::Padded,
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
    task::Waker,
};

pub(super) struct Channel<T> {
    pub(super) outbound: Padded<Lock<Outbound<T>>>,
    pub(super) inbound: Padded<Inside<T>>,
    /// All that was ever taken. Written under the outbound lock.
    pub(super) taken: Padded<AtomicUsize>,
    pub(super) receivers: Arc<Receivers>,
    /// `usize::MAX` for an unbounded channel.
    pub(super) capacity: usize,
    /// No message gets in any more. Written under both locks.
    pub(super) closed: AtomicBool,
    /// Receivers find many messages at once: see [`linger`](super::linger).
    pub(super) rush: AtomicBool,
    pub(super) sender_handles: AtomicUsize,
    pub(super) receiver_handles: AtomicUsize,
}

pub(super) struct Inside<T> {
    pub(super) half: Lock<Inbound<T>>,
    /// All that was ever sent. Written under the lock, for a look without it.
    pub(super) sent: AtomicUsize,
}

pub(super) struct Inbound<T> {
    pub(super) messages: Filling<T>,
    pub(super) sent: usize,
    /// What a sender last read of `taken`.
    pub(super) known_taken: usize,
    pub(super) closed: bool,
    /// Senders that wait for room, by ticket.
    pub(super) waiting: VecDeque<WaitingSender<T>>,
    pub(super) next_ticket: u64,
}

pub(super) struct WaitingSender<T> {
    pub(super) ticket: u64,
    pub(super) message: T,
    /// Taken out by the close, which leaves the message for the send to take back.
    pub(super) waker: Option<Waker>,
}

pub(super) struct Outbound<T> {
    pub(super) messages: Emptying<T>,
    pub(super) taken: usize,
    /// A sender may wait for room.
    pub(super) senders_wait: bool,
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
    pub(super) fn has_room(&self, inbound: &mut Inbound<T>) -> bool {
        if inbound.sent.wrapping_sub(inbound.known_taken) < self.capacity {
            return true;
        }
        // Acquire is not for data, which the locks pass over; it bounds how stale the count may be by what the caller knows.
        inbound.known_taken = self.taken.0.load(Acquire);
        inbound.sent.wrapping_sub(inbound.known_taken) < self.capacity
    }

    #[inline]
    pub(super) fn push(&self, inbound: &mut Inbound<T>, message: T) {
        inbound.messages.push(message);
        inbound.sent = inbound.sent.wrapping_add(1);
        self.inbound.0.sent.store(inbound.sent, Release);
    }

    /// For the two ends.
    pub(super) fn fmt(&self, f: &mut fmt::Formatter<'_>, end: &str) -> fmt::Result {
        f.debug_struct(end)
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .finish()
    }
}
