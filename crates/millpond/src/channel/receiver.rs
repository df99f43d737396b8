//! The receiving end.

use super::{
    blocks::Emptying,
    error::TryRecvError,
    receivers::Spot,
    state::Channel,
    taking::{Took, Want},
};
use crate::park;
use futures_core::Stream;
use std::{
    fmt,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

/// Receives messages from a channel. Each message goes to exactly one receiver.
///
/// Dropping the last `Receiver` closes the channel and drops what is in it, at once. A clone receives from the same
/// channel. All of them can be used from any thread, inside a pool or not.
///
/// It is also a [`Stream`](https://docs.rs/futures-core/0.3/futures_core/stream/trait.Stream.html), which ends with
/// the channel:
///
/// ```
/// use futures_lite::StreamExt;
///
/// let (jobs, queue) = millpond::channel::unbounded();
/// (1..=3).for_each(|number| jobs.try_send(number).unwrap());
/// drop(jobs);
/// assert_eq!(futures_lite::future::block_on(queue.collect::<Vec<_>>()), [1, 2, 3]);
/// ```
///
/// Without an await, and how the channel is:
///
/// ```
/// let (jobs, queue) = millpond::channel::bounded(16);
/// jobs.try_send("first").unwrap();
/// assert_eq!((queue.len(), queue.is_empty(), queue.capacity()), (1, false, Some(16)));
/// queue.close(); // nothing more gets in; what is there comes out
/// assert!(queue.is_closed());
/// assert_eq!(queue.recv_blocking(), Some("first")); // on a plain thread, which it blocks while there is nothing
/// assert!(queue.try_recv().is_err());
/// ```
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
    /// Of the stream, while it waits.
    ticket: Option<u64>,
}

/// The future of [`Receiver::recv`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvFuture<'a, T> {
    channel: &'a Channel<T>,
    /// Drawn when it began to wait.
    ticket: Option<u64>,
}

/// The future of [`Receiver::recv_many`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct RecvManyFuture<'a, T> {
    channel: &'a Channel<T>,
    buf: &'a mut Vec<T>,
    max: usize,
    /// Drawn when it began to wait.
    ticket: Option<u64>,
}

impl<T> Receiver<T> {
    pub(super) fn new(channel: Arc<Channel<T>>) -> Receiver<T> {
        Receiver { channel, ticket: None }
    }

    /// Receives a message, and waits for one if there is none. `None` is the end, as with tokio's channels: the channel is
    /// closed and empty.
    ///
    /// On a worker of a pool, a message never waits behind a worker that computes while a receiver waits on one that is
    /// idle.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = millpond::Pool::builder().worker_threads(2).build()?;
    /// let (jobs, queue) = millpond::channel::unbounded();
    /// let sums = pool.broadcast(move |_worker| {
    ///     let queue = queue.clone();
    ///     async move {
    ///         let mut sum = 0;
    ///         while let Some(number) = queue.recv().await {
    ///             sum += number;
    ///         }
    ///         sum
    ///     }
    /// });
    /// (1..=100).for_each(|number| jobs.try_send(number).expect("it is open, and has no bound"));
    /// drop(jobs);
    /// assert_eq!(sums.join().into_iter().map(Result::unwrap).sum::<u64>(), 5050);
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    /// A `recv` that is dropped before its end has taken nothing. If it was woken for a message, another receiver is.
    pub fn recv(&self) -> RecvFuture<'_, T> {
        RecvFuture { channel: &self.channel, ticket: None }
    }

    /// Receives up to `max` messages at once to the end of `buf`, and says how many. It waits if there is none, and not for
    /// more than there are. 0 is the end: the channel is closed and empty. (With a `max` of 0 it is 0 at once.)
    ///
    /// It costs far less for each message than [`recv`](Receiver::recv). But what is in `buf` no other receiver can take:
    /// while this one works on its first message, the others of its batch wait, even if another worker is idle. So a
    /// receiver takes no more than its share of what there is: a half, if there are two. Where a message can be a long
    /// computation, use [`recv`](Receiver::recv).
    ///
    /// ```
    /// # futures_lite::future::block_on(async {
    /// let (jobs, queue) = millpond::channel::unbounded();
    /// (1..=5).for_each(|number| jobs.try_send(number).unwrap());
    /// drop(jobs);
    /// let mut batch = Vec::new();
    /// assert_eq!(queue.recv_many(&mut batch, 3).await, 3);
    /// assert_eq!(queue.recv_many(&mut batch, 3).await, 2);
    /// assert_eq!(batch, [1, 2, 3, 4, 5]);
    /// assert_eq!(queue.recv_many(&mut batch, 3).await, 0);
    /// # });
    /// ```
    ///
    /// # Cancel safety
    /// As [`recv`](Receiver::recv): one that is dropped before its end has taken nothing, and `buf` is as it was.
    pub fn recv_many<'a>(&'a self, buf: &'a mut Vec<T>, max: usize) -> RecvManyFuture<'a, T> {
        RecvManyFuture { channel: &self.channel, buf, max, ticket: None }
    }

    /// [`recv`](Receiver::recv), for a plain thread: blocks it while the channel is empty.
    ///
    /// On a worker of a pool it would hold up all the worker's tasks: there, await [`recv`](Receiver::recv).
    pub fn recv_blocking(&self) -> Option<T> {
        let mut one = One(None);
        if self.channel.try_take(&mut one) == Took::Some {
            return one.0;
        }
        let mut ticket = None;
        // Ended as a receive is: by a send, or by the close.
        let taken = pin!(poll_fn(|cx| {
            self.channel.poll_take(&mut one, &mut ticket, cx.waker(), |_| Spot::Thread)
        }));
        park::block_on_until(taken, None);
        one.0
    }

    /// Receives a message if there is one.
    ///
    /// # Errors
    /// [`TryRecvError`]: the channel is empty, or it is closed as well.
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        let mut one = One(None);
        match self.channel.try_take(&mut one) {
            Took::Closed => Err(TryRecvError::Closed),
            Took::Some | Took::Empty => one.0.ok_or(TryRecvError::Empty),
        }
    }

    /// Closes the channel, whoever else holds an end of it. Receivers get what is in it, and then its end. Sends that wait
    /// for room get their messages back.
    pub fn close(&self) {
        self.channel.close();
    }

    /// No message gets in any more: [`close`](Receiver::close) was called, or the last sender has gone. There may still be
    /// some to receive.
    pub fn is_closed(&self) -> bool {
        self.channel.is_closed()
    }

    /// How many messages wait to be received. It is never more than the capacity: those of senders that wait for room do
    /// not count.
    pub fn len(&self) -> usize {
        self.channel.len()
    }

    /// No message waits to be received.
    pub fn is_empty(&self) -> bool {
        self.channel.is_empty()
    }

    /// How many messages the channel can hold; `None` for an unbounded one.
    pub fn capacity(&self) -> Option<usize> {
        self.channel.capacity()
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        self.channel.add_receiver();
        Receiver::new(Arc::clone(&self.channel))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        give_up(&self.channel, &mut self.ticket);
        self.channel.drop_receiver();
    }
}

/// One message.
struct One<T>(Option<T>);

impl<T> Want<T> for One<T> {
    #[inline]
    fn take(&mut self, messages: &mut Emptying<T>, _receivers: usize) -> usize {
        self.0 = messages.pop();
        1
    }
}

/// Several, but no more than a share of what there is.
struct Many<'a, T> {
    buf: &'a mut Vec<T>,
    max: usize,
    taken: usize,
}

impl<T> Want<T> for Many<'_, T> {
    fn take(&mut self, messages: &mut Emptying<T>, receivers: usize) -> usize {
        let share = messages.len().div_ceil(receivers.max(1));
        self.taken = messages.pop_many(self.buf, share.min(self.max));
        self.taken
    }
}

impl<T> Future for RecvFuture<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut one = One(None);
        let channel = self.channel;
        channel.poll_take(&mut one, &mut self.ticket, cx.waker(), Spot::here).map(|_| one.0)
    }
}

impl<T> Future for RecvManyFuture<'_, T> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let RecvManyFuture { channel, buf, max, ticket } = &mut *self;
        if *max == 0 {
            return Poll::Ready(0);
        }
        let mut many = Many { buf, max: *max, taken: 0 };
        channel.poll_take(&mut many, ticket, cx.waker(), Spot::here).map(|_| many.taken)
    }
}

impl<T> Stream for Receiver<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut one = One(None);
        let Receiver { channel, ticket } = &mut *self;
        channel.poll_take(&mut one, ticket, cx.waker(), Spot::here).map(|_| one.0)
    }
}

impl<T> Drop for RecvFuture<'_, T> {
    fn drop(&mut self) {
        give_up(self.channel, &mut self.ticket);
    }
}

impl<T> Drop for RecvManyFuture<'_, T> {
    fn drop(&mut self) {
        give_up(self.channel, &mut self.ticket);
    }
}

fn give_up<T>(channel: &Channel<T>, ticket: &mut Option<u64>) {
    if let Some(ticket) = ticket.take() {
        channel.give_up_take(ticket);
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.fmt(f, "Receiver")
    }
}

impl<T> fmt::Debug for RecvFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvFuture").field("waits", &self.ticket.is_some()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for RecvManyFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvManyFuture").field("waits", &self.ticket.is_some()).finish_non_exhaustive()
    }
}
