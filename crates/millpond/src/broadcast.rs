//! One job on every worker.

use crate::{JoinError, JoinHandle};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// The results of [`broadcast`](crate::Handle::broadcast), in the order of the workers.
///
/// Dropping it detaches the jobs: they run on, and their results are dropped.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let all = pool.broadcast(|worker| async move { worker.index() }).join(); // or `.await`, on any executor
/// assert_eq!(all.into_iter().collect::<Result<Vec<_>, _>>()?, [0, 1]);
///
/// // Or one handle for each worker, to wait for them one by one:
/// let handles = pool.broadcast(|_| async { 42 }).into_handles();
/// for handle in handles {
///     assert_eq!(handle.join()?, 42);
/// }
/// # Ok(()) }
/// ```
///
/// # Cancel safety
/// Polling by reference loses nothing when it is dropped before the end.
#[must_use = "the jobs run without it, but their panics then go unseen; `drop` it to say so"]
pub struct Broadcast<T> {
    /// A slot for each worker.
    slots: Vec<Slot<T>>,
}

enum Slot<T> {
    Waiting(JoinHandle<T>),
    Done(Result<T, JoinError>),
    Taken,
}

impl<T> Broadcast<T> {
    pub(crate) fn new(handles: impl Iterator<Item = JoinHandle<T>>) -> Broadcast<T> {
        Broadcast { slots: handles.map(Slot::Waiting).collect() }
    }

    /// Blocks this thread until each of the jobs is over. As [`JoinHandle::join`], it refuses to on a worker of the same
    /// pool, and each result is then [`is_would_deadlock`](JoinError::is_would_deadlock).
    ///
    /// # Panics
    /// If it has been polled.
    pub fn join(self) -> Vec<Result<T, JoinError>> {
        self.into_handles().into_iter().map(JoinHandle::join).collect()
    }

    /// The handles one by one, in the order of the workers.
    ///
    /// # Panics
    /// If it has been polled.
    pub fn into_handles(self) -> Vec<JoinHandle<T>> {
        let handle = |slot| match slot {
            Slot::Waiting(handle) => handle,
            Slot::Done(_) | Slot::Taken => panic!("Broadcast::into_handles after a poll"),
        };
        self.slots.into_iter().map(handle).collect()
    }
}

impl<T> Future for Broadcast<T> {
    type Output = Vec<Result<T, JoinError>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut all_done = true;
        for slot in &mut self.slots {
            if let Slot::Waiting(handle) = slot {
                // Each handle that waits wakes this task at its end; see `JoinHandle`.
                match Pin::new(handle).poll(cx) {
                    Poll::Ready(result) => *slot = Slot::Done(result),
                    Poll::Pending => all_done = false,
                }
            }
        }
        if !all_done {
            return Poll::Pending;
        }
        let take = |slot: &mut Slot<T>| match std::mem::replace(slot, Slot::Taken) {
            Slot::Done(result) => result,
            Slot::Waiting(_) | Slot::Taken => panic!("a Broadcast was polled after it had given its results"),
        };
        Poll::Ready(self.slots.iter_mut().map(take).collect())
    }
}

// The results are moved as wholes and never pinned.
impl<T> Unpin for Broadcast<T> {}

impl<T> fmt::Debug for Broadcast<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broadcast").field("workers", &self.slots.len()).finish()
    }
}
