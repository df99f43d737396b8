//! The errors of submitting: each gives back what could not be sent.

use crate::worker_id::WorkerId;
use std::fmt;

/// Why [`try_spawn`](crate::Handle::try_spawn) took no job. The closure is inside.
///
/// ```
/// use millpond::TrySpawnError;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(1).queue_capacity(1).build()?;
/// let handle = pool.handle();
/// pool.shutdown_blocking();
/// match handle.try_spawn(|| async { 42 }) {
///     Ok(job) => println!("{}", job.join()?),
///     Err(error) if error.is_full() => println!("later: {error}"),
///     Err(TrySpawnError::Closed(closure)) => drop(closure), // given back by every error; `into_inner` does so too
///     Err(_) => unreachable!(),
/// }
/// # Ok(()) }
/// ```
pub enum TrySpawnError<F> {
    /// The shared queue holds as many jobs as its capacity. Try later, or wait for room with
    /// [`submit`](crate::Handle::submit).
    Full(F),
    /// The pool has shut down, or has begun to.
    Closed(F),
}

/// Why [`submit`](crate::Handle::submit) or [`submit_blocking`](crate::Handle::submit_blocking) took no job. The closure
/// is inside.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let handle = pool.handle();
/// pool.shutdown_blocking();
/// let error = handle.submit_blocking(|| async { 42 }).unwrap_err();
/// assert_eq!(error.to_string(), "the pool has shut down and takes no more jobs");
/// let _closure = error.into_inner(); // for another pool, say
/// # Ok(()) }
/// ```
#[non_exhaustive]
pub enum SubmitError<F> {
    /// The pool has shut down, or has begun to.
    Closed(F),
    /// `submit_blocking` found the queue full on one of the pool's own workers, and to wait there could be for ever: it
    /// may be this worker that would make room. Use `submit(…).await`.
    WouldDeadlock(F),
}

/// Why [`spawn_on`](crate::Handle::spawn_on) took no job: the worker is another pool's. The closure is inside.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let other = millpond::Pool::builder().worker_threads(1).build()?;
/// let error = pool.spawn_on(other.workers()[0], || async {}).unwrap_err();
/// assert_eq!(error.worker, other.workers()[0]);
/// drop(pool.spawn(error.closure)); // whichever worker is free, then
/// # Ok(()) }
/// ```
pub struct SpawnOnError<F> {
    /// What was to be spawned.
    pub closure: F,
    /// The worker that was asked for.
    pub worker: WorkerId,
    /// How many workers the pool that was asked has.
    pub(crate) workers: usize,
    /// That pool's number.
    pub(crate) pool: u32,
}

/// There is no pool on this thread: a function that needs one was called outside.
///
/// ```
/// let here = millpond::Handle::try_current(); // on a plain thread
/// assert!(matches!(here, Err(millpond::NoPoolError { .. })));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NoPoolError;

impl<F> TrySpawnError<F> {
    /// What was to be spawned.
    pub fn into_inner(self) -> F {
        match self {
            TrySpawnError::Full(closure) | TrySpawnError::Closed(closure) => closure,
        }
    }

    /// The queue was full; later there may be room.
    pub fn is_full(&self) -> bool {
        matches!(self, TrySpawnError::Full(_))
    }
}

impl<F> SubmitError<F> {
    /// What was to be submitted.
    pub fn into_inner(self) -> F {
        match self {
            SubmitError::Closed(closure) | SubmitError::WouldDeadlock(closure) => closure,
        }
    }
}

const CLOSED: &str = "the pool has shut down and takes no more jobs";

impl<F> fmt::Display for TrySpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TrySpawnError::Full(_) => {
                "the pool's queue is full (queue_capacity); try later, wait with submit, or raise the capacity"
            }
            TrySpawnError::Closed(_) => CLOSED,
        })
    }
}

impl<F> fmt::Display for SubmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SubmitError::Closed(_) => CLOSED,
            SubmitError::WouldDeadlock(_) => {
                "submit_blocking would block a worker of the pool whose full queue it waits for; use submit and await it"
            }
        })
    }
}

impl<F> fmt::Display for SpawnOnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a worker of pool {}, which has {} of its own; take one from Pool::workers",
            self.worker, self.pool, self.workers
        )
    }
}

impl fmt::Display for NoPoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "there is no millpond pool on this thread; call it in a job, in Pool::block_on or under #[millpond::main], or \
             use a Handle",
        )
    }
}

impl<F> fmt::Debug for TrySpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_full() { "Full(..)" } else { "Closed(..)" })
    }
}

impl<F> fmt::Debug for SubmitError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SubmitError::Closed(_) => "Closed(..)",
            SubmitError::WouldDeadlock(_) => "WouldDeadlock(..)",
        })
    }
}

impl<F> fmt::Debug for SpawnOnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnOnError").field("worker", &self.worker).finish_non_exhaustive()
    }
}

impl<F> std::error::Error for TrySpawnError<F> {}
impl<F> std::error::Error for SubmitError<F> {}
impl<F> std::error::Error for SpawnOnError<F> {}
impl std::error::Error for NoPoolError {}
