//! Messages in order, in blocks of a fixed size: nothing is copied as a channel grows, and emptied blocks are filled again.
//!
//! There are two halves. Senders fill one, receivers empty the other, each under its own lock, and what has been filled
//! passes over as a whole. So a receiver gets in the senders' way once for many messages.

use crate::panics::contain;
use std::{collections::VecDeque, mem, mem::MaybeUninit};

/// What a block holds at most. Big enough that passing one on costs little for each message; small enough that a channel
/// with a few messages is small, and that a block stays in a core's own cache.
const BLOCK_BYTES: usize = 8 * 1024;
/// Large messages: this many share the cost of a block.
const FEWEST_IN_BLOCK: usize = 8;
/// Small ones: more than this gain nothing.
const MOST_IN_BLOCK: usize = 1024;
/// How much of a block is prepared at one go: 16 lines, about as many as a core fetches at once.
const PREPARED_BYTES: usize = 1024;
/// Emptied blocks that each half keeps: 32 KiB, as much as any emptied queue here keeps.
const SPARE_BLOCKS: usize = 4;

/// The newer messages, which senders add to.
pub(super) struct Filling<T> {
    /// The newest block, not full.
    tail: Vec<T>,
    /// The length up to which the tail's memory has been prepared.
    prepared: usize,
    /// Full ones, older than the tail.
    full: VecDeque<Vec<T>>,
    /// Emptied ones, to be filled.
    spare: Vec<Vec<T>>,
}

/// The older messages, which receivers take.
pub(super) struct Emptying<T> {
    /// The oldest block. Empty only if there are no more.
    head: VecDeque<T>,
    /// Newer than the head.
    rest: VecDeque<Vec<T>>,
    /// How many messages are in head and rest.
    len: usize,
    /// Emptied ones, for the senders' half.
    spare: Vec<Vec<T>>,
    /// A block was let go since this was last empty: there was a burst.
    gave_back: bool,
}

/// How many messages a block holds.
const fn block_len<T>() -> usize {
    let fitting = BLOCK_BYTES / if size_of::<T>() == 0 { 1 } else { size_of::<T>() };
    if fitting < FEWEST_IN_BLOCK {
        FEWEST_IN_BLOCK
    } else if fitting > MOST_IN_BLOCK {
        MOST_IN_BLOCK
    } else {
        fitting
    }
}

impl<T> Filling<T> {
    pub(super) fn new() -> Filling<T> {
        // The first block grows by need: a channel that never holds many stays small.
        Filling { tail: Vec::new(), prepared: 0, full: VecDeque::new(), spare: Vec::new() }
    }

    #[inline]
    pub(super) fn push(&mut self, message: T) {
        if self.tail.len() == self.prepared {
            self.prepare();
        }
        self.tail.push(message);
    }

    /// Each by itself, so that one whose drop panics takes no other with it.
    pub(super) fn drop_each(self) {
        self.full.into_iter().flatten().chain(self.tail).for_each(|message| contain(|| drop(message)));
    }

    /// Sees to room for the next message, and writes to the memory of the next few.
    ///
    /// A block that is filled again was last read on another core, and its lines lie there. The atomic step of each send
    /// waits for the writes before it, so every send that begins a line would wait until it has come over. Written at one
    /// go, several lines come over at once.
    #[cold]
    fn prepare(&mut self) {
        if self.tail.len() == block_len::<T>() {
            let next = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(block_len::<T>()));
            self.full.push_back(mem::replace(&mut self.tail, next));
        }
        self.tail.reserve(1);
        let len = self.tail.len();
        let ahead = (PREPARED_BYTES / size_of::<T>().max(1)).max(1).min(block_len::<T>() - len);
        let slots = self.tail.spare_capacity_mut().iter_mut().take(ahead);
        self.prepared = len + slots.map(|slot| *slot = MaybeUninit::zeroed()).count();
    }
}

impl<T> Emptying<T> {
    pub(super) fn new() -> Emptying<T> {
        Emptying { head: VecDeque::new(), rest: VecDeque::new(), len: 0, spare: Vec::new(), gave_back: false }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.head.is_empty()
    }

    /// Takes over all that the senders have filled, once nothing is left here.
    pub(super) fn refill(&mut self, filled: &mut Filling<T>) {
        debug_assert!(self.is_empty());
        self.len = filled.full.len() * block_len::<T>() + filled.tail.len();
        if filled.full.is_empty() {
            let emptied = Vec::from(mem::take(&mut self.head));
            self.head = mem::replace(&mut filled.tail, emptied).into();
            filled.prepared = 0;
        } else {
            mem::swap(&mut self.rest, &mut filled.full);
            let emptied = Vec::from(mem::take(&mut self.head));
            self.rest.push_back(mem::replace(&mut filled.tail, emptied));
            filled.prepared = 0;
            self.head = self.rest.pop_front().unwrap_or_default().into();
        }
        let wanted = SPARE_BLOCKS.saturating_sub(filled.spare.len()).min(self.spare.len());
        filled.spare.extend(self.spare.drain(..wanted));
    }

    #[inline]
    pub(super) fn pop(&mut self) -> Option<T> {
        let message = self.head.pop_front();
        self.len -= usize::from(message.is_some());
        if self.head.is_empty() {
            self.next_block();
        }
        message
    }

    /// Moves up to `most` messages to the end of `buf`. Says how many.
    pub(super) fn pop_many(&mut self, buf: &mut Vec<T>, most: usize) -> usize {
        let mut left = most;
        while left > 0 && !self.head.is_empty() {
            let part = left.min(self.head.len());
            buf.extend(self.head.drain(..part));
            left -= part;
            if self.head.is_empty() {
                self.next_block();
            }
        }
        self.len -= most - left;
        most - left
    }

    /// See [`Filling::drop_each`].
    pub(super) fn drop_each(self) {
        self.head
            .into_iter()
            .chain(self.rest.into_iter().flatten())
            .for_each(|message| contain(|| drop(message)));
    }

    fn next_block(&mut self) {
        match self.rest.pop_front() {
            Some(next) => {
                let emptied = mem::replace(&mut self.head, next.into()).into();
                if self.spare.len() < SPARE_BLOCKS {
                    self.spare.push(emptied);
                } else {
                    self.gave_back = true;
                }
            }
            // The end of a burst. Its newest block goes and an older one stays: an allocator that gives back from its end
            // gives back all between the two.
            None if mem::take(&mut self.gave_back) => {
                self.rest = VecDeque::new();
                self.head = self.spare.pop().unwrap_or_default().into();
            }
            None => {}
        }
    }
}
