//! The sending end.

use super::{
    error::{SendError, TrySendError},
    linger::linger,
    sending::NoPlace,
    state::Channel,
};
use crate::park;
use std::{
    fmt,
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

/// Sends messages into a channel.
///
/// Dropping the last `Sender` closes the channel: receivers get what is still in it, and then its end. A clone sends into
/// the same channel. All of them can be used from any thread, inside a pool or not.
///
/// ```
/// let (jobs, queue) = millpond::channel::unbounded();
/// for number in 1..=3 {
///     jobs.try_send(number)?;
/// }
/// drop(jobs);
/// assert_eq!(std::iter::from_fn(|| queue.recv_blocking()).sum::<i32>(), 6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Without an await, and how the channel is:
///
/// ```
/// let (jobs, queue) = millpond::channel::bounded(16);
/// jobs.send_blocking("first").unwrap(); // on a plain thread, which it blocks while the channel is full
/// assert_eq!((jobs.len(), jobs.is_empty(), jobs.capacity()), (1, false, Some(16)));
/// jobs.close();
/// assert!(jobs.is_closed());
/// # drop(queue);
/// ```
pub struct Sender<T> {
    channel: Arc<Channel<T>>,
}

/// The future of [`Sender::send`].
#[must_use = "a future does nothing unless it is awaited"]
pub struct SendFuture<'a, T> {
    sender: &'a Sender<T>,
    /// Ours until it has been sent, or waits for room in the channel.
    message: Option<T>,
    /// Drawn when it began to wait.
    ticket: Option<u64>,
}

impl<T> Sender<T> {
    pub(super) fn new(channel: Arc<Channel<T>>) -> Sender<T> {
        Sender { channel }
    }

    /// Sends a message, and waits for room if the channel is full. Those who wait are served in order of their first polls,
    /// and no other message gets in before theirs.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = millpond::Pool::builder().worker_threads(2).build()?;
    /// let (jobs, queue) = millpond::channel::bounded(2);
    /// let sum = pool.spawn(move || async move {
    ///     let mut sum = 0;
    ///     while let Some(number) = queue.recv().await {
    ///         sum += number;
    ///     }
    ///     sum
    /// });
    /// pool.block_on(async move {
    ///     for number in 1..=100 {
    ///         jobs.send(number).await.expect("the queue is there");
    ///     }
    /// });
    /// assert_eq!(sum.join()?, 5050);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`SendError`] with the message, if the channel is closed or closes while this waits.
    ///
    /// # Cancel safety
    /// A send that is dropped before its end has sent nothing, or the whole message. While it waits, the drop gives up
    /// the turn and drops the message.
    pub fn send(&self, message: T) -> SendFuture<'_, T> {
        SendFuture { sender: self, message: Some(message), ticket: None }
    }

    /// [`send`](Sender::send), for a plain thread: blocks it while the channel is full.
    ///
    /// On a worker of a pool it would hold up all the worker's tasks, perhaps those that would make room: there, await
    /// [`send`](Sender::send).
    ///
    /// # Errors
    /// [`SendError`] with the message, if the channel is closed or closes while this waits.
    #[inline]
    pub fn send_blocking(&self, message: T) -> Result<(), SendError<T>> {
        match self.channel.place() {
            Ok(place) => {
                place.fill(message);
                Ok(())
            }
            Err(NoPlace::Closed) => Err(SendError(message)),
            Err(NoPlace::Full) => self.wait_blocking(message),
        }
    }

    #[cold]
    #[inline(never)]
    fn wait_blocking(&self, message: T) -> Result<(), SendError<T>> {
        let looked = linger(|| match self.channel.place() {
            Err(NoPlace::Full) => None,
            found => Some(found),
        });
        match looked {
            Some(Ok(place)) => {
                place.fill(message);
                Ok(())
            }
            Some(Err(_)) => Err(SendError(message)),
            // Ended as the send is; it wakes this thread.
            None => park::block_on_until(pin!(self.send(message)), None).expect("there is no deadline"),
        }
    }

    /// Sends a message if there is room.
    ///
    /// ```
    /// use millpond::channel::{TrySendError, bounded};
    ///
    /// let (jobs, queue) = bounded(1);
    /// assert_eq!(jobs.try_send("first"), Ok(()));
    /// assert_eq!(jobs.try_send("second"), Err(TrySendError::Full("second")));
    /// drop(queue);
    /// assert_eq!(jobs.try_send("third"), Err(TrySendError::Closed("third")));
    /// ```
    ///
    /// # Errors
    /// [`TrySendError`] with the message: the channel is full, or others wait for room, or it is closed.
    #[inline]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        match self.channel.place() {
            Ok(place) => {
                place.fill(message);
                Ok(())
            }
            Err(NoPlace::Full) => Err(TrySendError::Full(message)),
            Err(NoPlace::Closed) => Err(TrySendError::Closed(message)),
        }
    }

    /// Closes the channel, whoever else holds a sender. Receivers get what is in it, and then its end. Sends that wait for
    /// room get their messages back.
    pub fn close(&self) {
        self.channel.close();
    }

    /// No message gets in any more: [`close`](Sender::close) was called, or the last receiver has gone.
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

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.channel.add_sender();
        Sender { channel: Arc::clone(&self.channel) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.channel.drop_sender();
    }
}

/// The message is handed over or given back, and nothing borrows from it.
impl<T> Unpin for SendFuture<'_, T> {}

impl<T> Future for SendFuture<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let SendFuture { sender, message, ticket } = &mut *self;
        sender.channel.poll_send(message, ticket, cx).map_err(SendError)
    }
}

impl<T> Drop for SendFuture<'_, T> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            drop(self.sender.channel.give_up_send(ticket));
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.channel.fmt(f, "Sender")
    }
}

impl<T> fmt::Debug for SendFuture<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendFuture").field("waits", &self.ticket.is_some()).finish_non_exhaustive()
    }
}
