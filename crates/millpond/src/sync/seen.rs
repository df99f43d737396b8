//! The locks of `std`, made visible to the thread sanitizer.
//!
//! `std` comes compiled, without the sanitizer's marks: it does not see the steps inside a lock that has to wait, and takes
//! what the lock orders for a race. Here each lock has a word beside it that is written with `Release` before the lock is
//! given up and read with `Acquire` once it is held. That is the order that the lock itself makes, and no other.

use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::{
        LockResult, PoisonError, WaitTimeoutResult,
        atomic::{
            AtomicUsize,
            Ordering::{Acquire, Release},
        },
    },
    time::Duration,
};

/// Written and read by the holders of one lock.
#[derive(Debug, Default)]
struct Mark(AtomicUsize);

impl Mark {
    const fn new() -> Mark {
        Mark(AtomicUsize::new(0))
    }

    fn held(&self) {
        self.0.load(Acquire);
    }

    fn given_up(&self) {
        // A step that reads and writes, so that one holder's write carries on those before it.
        self.0.fetch_add(1, Release);
    }
}

/// As `std`'s.
#[derive(Default)]
pub(crate) struct Mutex<T> {
    mark: Mark,
    inner: std::sync::Mutex<T>,
}

/// As `std`'s.
pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// Taken out while a condition variable has it.
    inner: Option<std::sync::MutexGuard<'a, T>>,
}

/// As `std`'s.
#[derive(Debug, Default)]
#[allow(dead_code)]
pub(crate) struct Condvar(std::sync::Condvar);

/// As `std`'s.
#[derive(Default)]
pub(crate) struct RwLock<T> {
    mark: Mark,
    inner: std::sync::RwLock<T>,
}

/// A read or write guard of such a lock.
pub(crate) struct RwGuard<'a, G> {
    mark: &'a Mark,
    inner: G,
}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Mutex<T> {
        Mutex { mark: Mark::new(), inner: std::sync::Mutex::new(value) }
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        self.guard(self.inner.lock())
    }

    fn guard<'a>(
        &'a self,
        locked: LockResult<std::sync::MutexGuard<'a, T>>,
    ) -> LockResult<MutexGuard<'a, T>> {
        self.mark.held();
        let guard = |inner| MutexGuard { mutex: self, inner: Some(inner) };
        locked.map(guard).map_err(|error| PoisonError::new(guard(error.into_inner())))
    }
}

#[allow(dead_code)]
impl Condvar {
    pub(crate) const fn new() -> Condvar {
        Condvar(std::sync::Condvar::new())
    }

    pub(crate) fn wait<'a, T>(&self, mut guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let mutex = guard.mutex;
        mutex.mark.given_up();
        // Ended by `notify_one` or `notify_all`.
        mutex.guard(self.0.wait(guard.inner.take().expect("it is held")))
    }

    pub(crate) fn wait_timeout<'a, T>(
        &self,
        mut guard: MutexGuard<'a, T>,
        limit: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        let mutex = guard.mutex;
        mutex.mark.given_up();
        // Ended as `wait`, or by the limit.
        let waited = self.0.wait_timeout(guard.inner.take().expect("it is held"), limit);
        // As everywhere here, poison says nothing.
        let (inner, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
        mutex.mark.held();
        Ok((MutexGuard { mutex, inner: Some(inner) }, timed_out))
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

impl<T> RwLock<T> {
    pub(crate) const fn new(value: T) -> RwLock<T> {
        RwLock { mark: Mark::new(), inner: std::sync::RwLock::new(value) }
    }

    pub(crate) fn read(&self) -> LockResult<RwGuard<'_, std::sync::RwLockReadGuard<'_, T>>> {
        self.guard(self.inner.read())
    }

    pub(crate) fn write(&self) -> LockResult<RwGuard<'_, std::sync::RwLockWriteGuard<'_, T>>> {
        self.guard(self.inner.write())
    }

    fn guard<G>(&self, locked: LockResult<G>) -> LockResult<RwGuard<'_, G>> {
        self.mark.held();
        let guard = |inner| RwGuard { mark: &self.mark, inner };
        locked.map(guard).map_err(|error| PoisonError::new(guard(error.into_inner())))
    }
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.inner.as_ref().expect("it is held")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.inner.as_mut().expect("it is held")
    }
}

impl<G: Deref> Deref for RwGuard<'_, G> {
    type Target = G::Target;

    fn deref(&self) -> &G::Target {
        &self.inner
    }
}

impl<G: DerefMut> DerefMut for RwGuard<'_, G> {
    fn deref_mut(&mut self) -> &mut G::Target {
        &mut self.inner
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if self.inner.is_some() {
            self.mutex.mark.given_up();
        }
    }
}

impl<G> Drop for RwGuard<'_, G> {
    fn drop(&mut self) {
        self.mark.given_up();
    }
}

impl<T> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mutex").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MutexGuard").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwLock").finish_non_exhaustive()
    }
}

impl<G> fmt::Debug for RwGuard<'_, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RwGuard").finish_non_exhaustive()
    }
}
