//! Why a job gave no result.

use crate::worker_id::WorkerId;
use std::{any::Any, fmt, sync::Mutex};

/// Why a job gave no result: it panicked, was aborted, came too late to start, or was ended by the pool's shutdown.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let job = pool.spawn(|| async { if true { panic!("no water") } });
/// let error = job.join().unwrap_err();
/// assert!(error.is_panic());
/// assert_eq!(error.to_string(), "the job panicked on worker 0: no water");
/// # Ok(()) }
/// ```
///
/// What to do about it follows from which it is:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// # let job = pool.spawn(|| async { if true { std::panic::panic_any(7) } });
/// # let error = job.join().unwrap_err();
/// if error.is_cancelled() {
///     // Somebody wanted it so: `is_aborted`, or `is_shutdown`.
/// } else if error.is_would_deadlock() {
///     // `join` was called on a worker; await the handle there.
/// } else if let Ok(payload) = error.try_into_panic() {
///     assert_eq!(payload.downcast_ref(), Some(&7)); // or `resume_unwind` it, as `into_panic` is for
/// }
/// # Ok(()) }
/// ```
pub struct JoinError {
    /// In a box, as errors are rare, and each job's cell has room for one: a queued job takes the less memory.
    inner: Box<Inner>,
}

struct Inner {
    reason: Reason,
    /// Where the job ran; `None` if it had not started, or ran off the workers.
    worker: Option<WorkerId>,
}

enum Reason {
    Panicked(Panic),
    Aborted,
    Expired,
    /// It never started.
    Shutdown,
    /// It had started.
    CutOff,
    WouldDeadlock,
}

struct Panic {
    /// Behind a lock for `Sync` alone: a payload is `Send` only.
    payload: Mutex<Box<dyn Any + Send>>,
    /// What the payload says, if it is text, as it nearly always is.
    message: String,
}

impl JoinError {
    pub(crate) fn panicked(payload: Box<dyn Any + Send>, worker: Option<WorkerId>) -> JoinError {
        let message = if let Some(text) = payload.downcast_ref::<&str>() {
            (*text).to_owned()
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text.clone()
        } else {
            "(a payload that is not text)".to_owned()
        };
        JoinError::new(Reason::Panicked(Panic { payload: Mutex::new(payload), message }), worker)
    }

    pub(crate) fn aborted(worker: Option<WorkerId>) -> JoinError {
        JoinError::new(Reason::Aborted, worker)
    }

    pub(crate) fn expired() -> JoinError {
        JoinError::new(Reason::Expired, None)
    }

    pub(crate) fn shutdown(worker: Option<WorkerId>) -> JoinError {
        JoinError::new(Reason::Shutdown, worker)
    }

    pub(crate) fn cut_off(worker: Option<WorkerId>) -> JoinError {
        JoinError::new(Reason::CutOff, worker)
    }

    pub(crate) fn would_deadlock(worker: Option<WorkerId>) -> JoinError {
        JoinError::new(Reason::WouldDeadlock, worker)
    }

    fn new(reason: Reason, worker: Option<WorkerId>) -> JoinError {
        JoinError { inner: Box::new(Inner { reason, worker }) }
    }

    /// The job's closure or future panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.inner.reason, Reason::Panicked(_))
    }

    /// [`abort`](crate::JoinHandle::abort) came before the job's end.
    pub fn is_aborted(&self) -> bool {
        matches!(self.inner.reason, Reason::Aborted)
    }

    /// The job's [deadline](crate::JobOptions::deadline) had passed when its turn came. It never started.
    pub fn is_expired(&self) -> bool {
        matches!(self.inner.reason, Reason::Expired)
    }

    /// The pool shut down: the job never started, or was cut off. Or the [`block_on`](crate::Pool::block_on) ended, in which
    /// [`spawn_local`](crate::spawn_local) had started it.
    pub fn is_shutdown(&self) -> bool {
        matches!(self.inner.reason, Reason::Shutdown | Reason::CutOff)
    }

    /// The job was ended from outside: aborted, or shut down. Tokio's name for both.
    pub fn is_cancelled(&self) -> bool {
        self.is_aborted() || self.is_shutdown()
    }

    /// A blocking [`join`](crate::JoinHandle::join) was refused because it would hold up a worker of the same pool. The
    /// job itself goes on, detached.
    pub fn is_would_deadlock(&self) -> bool {
        matches!(self.inner.reason, Reason::WouldDeadlock)
    }

    /// Where the job ran. `None` if it had not started, or ran off the workers: on the thread of
    /// [`block_on`](crate::Pool::block_on), or in [`spawn_blocking`](crate::spawn_blocking).
    pub fn worker(&self) -> Option<WorkerId> {
        self.inner.worker
    }

    /// The panic's payload, for [`std::panic::resume_unwind`].
    ///
    /// # Panics
    /// If the error is not a panic; see [`try_into_panic`](JoinError::try_into_panic).
    pub fn into_panic(self) -> Box<dyn Any + Send> {
        self.try_into_panic().expect("JoinError::into_panic on an error that is not a panic")
    }

    /// The panic's payload, or the error back if it is not a panic.
    ///
    /// # Errors
    /// The error itself.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send>, JoinError> {
        let Inner { reason, worker } = *self.inner;
        match reason {
            Reason::Panicked(panic) => {
                Ok(panic.payload.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
            }
            reason => Err(JoinError::new(reason, worker)),
        }
    }
}

impl JoinError {
    /// What the panic said; empty for an error that is no panic.
    pub(crate) fn panic_message(&self) -> &str {
        match &self.inner.reason {
            Reason::Panicked(panic) => &panic.message,
            Reason::Aborted | Reason::Expired | Reason::Shutdown | Reason::CutOff | Reason::WouldDeadlock => {
                ""
            }
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.inner.reason {
            Reason::Panicked(_) => f.write_str("the job panicked")?,
            Reason::Aborted => f.write_str("the job was aborted")?,
            Reason::Expired => f.write_str("the job's deadline passed before it was started")?,
            Reason::Shutdown => f.write_str("the pool shut down before the job had run")?,
            Reason::CutOff if self.inner.worker.is_none() => {
                f.write_str(
                    "the job was cut off by the end of its pool, or of the block_on beside which it ran",
                )?;
            }
            Reason::CutOff => f.write_str("the job was cut off by the pool's shutdown")?,
            Reason::WouldDeadlock => {
                return f.write_str(
                    "a blocking join() was called on a thread that the job may need; await the handle instead (the job \
                     goes on, detached)",
                );
            }
        }
        if let Some(worker) = self.inner.worker {
            write!(f, " on {worker}")?;
        }
        if let Reason::Panicked(panic) = &self.inner.reason {
            write!(f, ": {}", panic.message)?;
        }
        Ok(())
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JoinError({self})")
    }
}

impl std::error::Error for JoinError {}
