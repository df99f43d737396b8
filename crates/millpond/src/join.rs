//! The handle of a job: wait for its result, or end it.

use crate::{JoinError, context, park, sync::now, task::RawJoin, task::Task};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

/// Waits for a job's result.
///
/// Dropping it detaches the job: it runs on, and its result is dropped when it ends. Awaiting takes the result, on any
/// executor; `join` does so on a plain thread. A handle always resolves: with the result, or with the [`JoinError`] that
/// says why there is none.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let sum = pool.spawn(|| async { 19 + 23 });
/// assert_eq!(sum.join()?, 42);
/// # Ok(()) }
/// ```
///
/// A handle can wait for a while, and call the job off:
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let job = pool.spawn(|| async { std::future::pending::<()>().await });
/// let job = job.join_timeout(Duration::from_millis(1)).expect_err("it never ends by itself");
/// assert!(!job.is_finished());
/// job.abort();
/// assert!(job.join().unwrap_err().is_aborted());
/// # Ok(()) }
/// ```
///
/// # Cancel safety
/// Polling by reference (`(&mut handle).await`) loses nothing when it is dropped before the end.
#[must_use = "a job runs without its handle, but its panic then goes unseen; `drop` the handle to say so"]
pub struct JoinHandle<T> {
    raw: RawJoin<T>,
}

/// Aborts a job from anywhere, without its result.
///
/// Dropping it does nothing to the job.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let job = pool.spawn(|| async { std::future::pending::<()>().await });
/// let end = job.abort_handle(); // a clone of it may be anywhere
/// assert!(!end.is_finished());
/// std::thread::spawn(move || end.abort()).join().unwrap();
/// assert!(job.join().unwrap_err().is_aborted());
/// # Ok(()) }
/// ```
pub struct AbortHandle {
    /// Keeps the job's memory, not its run.
    task: Task,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(raw: RawJoin<T>) -> JoinHandle<T> {
        JoinHandle { raw }
    }

    /// Blocks this thread until the job is over.
    ///
    /// # Errors
    /// Why there is no result. On a worker of the job's own pool it is
    /// [`is_would_deadlock`](JoinError::is_would_deadlock), at once: the job may need that worker. The job then goes on,
    /// detached.
    pub fn join(self) -> Result<T, JoinError> {
        match self.join_until(None) {
            Ok(result) => result,
            Err(_) => unreachable!("a wait without a deadline ends with the job"),
        }
    }

    /// Blocks this thread until the job is over, or for as long as `timeout`.
    ///
    /// # Errors
    /// The outer error is the handle, given back because the time was up. The inner ones are [`join`](Self::join)'s.
    pub fn join_timeout(self, timeout: Duration) -> Result<Result<T, JoinError>, JoinHandle<T>> {
        // A timeout past the end of the clock is none.
        self.join_until(now().checked_add(timeout))
    }

    fn join_until(mut self, deadline: Option<Instant>) -> Result<Result<T, JoinError>, JoinHandle<T>> {
        if self.is_finished() {
            // Nothing to wait for, and so no waker to make.
            if let Poll::Ready(result) = self.raw.poll(&mut Context::from_waker(Waker::noop())) {
                return Ok(result);
            }
        }
        if context::would_deadlock(self.raw.task()) {
            return Ok(Err(JoinError::would_deadlock(context::worker_id())));
        }
        // Ended by the completer, which wakes the waker left by the poll; and a poll follows every wake.
        park::block_on_until(Pin::new(&mut self), deadline).ok_or(self)
    }

    /// Ends the job. One that has not started never will, and its closure is dropped here; one that is pending is
    /// dropped on its worker; one that is being polled is dropped when that poll is pending, and if it completes instead,
    /// it has completed. A closure of [`spawn_blocking`](crate::spawn_blocking) that has started cannot be aborted.
    ///
    /// Does not wait: await the handle for [`is_aborted`](JoinError::is_aborted) or the result that came first.
    pub fn abort(&self) {
        self.raw.task().abort();
    }

    /// A handle that can abort the job and nothing else.
    /// See [`AbortHandle`].
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle { task: self.raw.task().clone_reference() }
    }

    /// The job is over: awaiting the handle will not wait.
    pub fn is_finished(&self) -> bool {
        self.raw.task().is_over()
    }
}

impl AbortHandle {
    /// See [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.task.abort();
    }

    /// See [`JoinHandle::is_finished`].
    pub fn is_finished(&self) -> bool {
        self.task.is_over()
    }
}

impl Clone for AbortHandle {
    fn clone(&self) -> AbortHandle {
        AbortHandle { task: self.task.clone_reference() }
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.raw.poll(cx)
    }
}

// The output is moved as a whole and never pinned.
impl<T> Unpin for JoinHandle<T> {}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("spawned", &self.raw.task().origin())
            .field("finished", &self.is_finished())
            .finish()
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle")
            .field("spawned", &self.task.origin())
            .field("finished", &self.is_finished())
            .finish()
    }
}
