//! The errors of a channel: what could not be sent comes back in them.

use std::fmt;

/// Why [`try_send`](super::Sender::try_send) sent nothing. The message is inside.
///
/// ```
/// let (jobs, queue) = millpond::channel::bounded(1);
/// jobs.try_send("first").unwrap();
/// let error = jobs.try_send("second").unwrap_err();
/// if error.is_full() {
///     let second = error.into_inner(); // for later
///     assert_eq!(second, "second");
/// }
/// # drop(queue);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySendError<T> {
    /// The channel holds as many messages as its capacity, or others wait for room. Try later, or wait with
    /// [`send`](super::Sender::send).
    Full(T),
    /// The channel is closed: by a call of `close`, or because its last receiver has gone.
    Closed(T),
}

/// The channel is closed: by a call of `close`, or because its last receiver has gone. The message is inside.
///
/// ```
/// let (jobs, queue) = millpond::channel::bounded(1);
/// drop(queue);
/// let error = jobs.send_blocking("for nobody").unwrap_err(); // or `jobs.send(…).await`
/// assert_eq!(error.into_inner(), "for nobody");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SendError<T>(pub T);

/// Why [`try_recv`](super::Receiver::try_recv) received nothing.
///
/// ```
/// use millpond::channel::{TryRecvError, unbounded};
///
/// let (jobs, queue) = unbounded();
/// jobs.try_send(7).unwrap();
/// assert_eq!(queue.try_recv(), Ok(7));
/// assert_eq!(queue.try_recv(), Err(TryRecvError::Empty));
/// drop(jobs);
/// assert_eq!(queue.try_recv(), Err(TryRecvError::Closed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryRecvError {
    /// There is nothing now.
    Empty,
    /// There is nothing, and nothing more will come.
    Closed,
}

impl<T> TrySendError<T> {
    /// What was to be sent.
    pub fn into_inner(self) -> T {
        match self {
            TrySendError::Full(message) | TrySendError::Closed(message) => message,
        }
    }

    /// There was no room; later there may be.
    pub fn is_full(&self) -> bool {
        matches!(self, TrySendError::Full(_))
    }
}

impl<T> SendError<T> {
    /// What was to be sent.
    pub fn into_inner(self) -> T {
        self.0
    }
}

const CLOSED: &str = "the channel is closed and takes no more messages";

impl<T> fmt::Display for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySendError::Full(_) => {
                "the channel is full; try later, wait with send, or give bounded() a larger capacity"
            }
            TrySendError::Closed(_) => CLOSED,
        })
    }
}

impl<T> fmt::Display for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CLOSED)
    }
}

impl fmt::Display for TryRecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryRecvError::Empty => "the channel is empty; try later, or wait with recv",
            TryRecvError::Closed => "the channel is closed and empty",
        })
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { "Full(..)" } else { "Closed(..)" })
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SendError(..)")
    }
}

impl<T> std::error::Error for TrySendError<T> {}
impl<T> std::error::Error for SendError<T> {}
impl std::error::Error for TryRecvError {}
