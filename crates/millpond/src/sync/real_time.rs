//! The clock, and waits that it ends.

use super::{Condvar, Mutex, MutexGuard};
use std::{
    sync::PoisonError,
    time::{Duration, Instant},
};

#[inline]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// As [`wait`](super::wait), for as long as `limit`. The mutex is the guard's.
pub(crate) fn wait_timeout<'a, T>(
    _mutex: &'a Mutex<T>,
    changed: &Condvar,
    guard: MutexGuard<'a, T>,
    limit: Duration,
) -> MutexGuard<'a, T> {
    // Ended by whoever notifies, or by the limit.
    changed.wait_timeout(guard, limit).unwrap_or_else(PoisonError::into_inner).0
}
