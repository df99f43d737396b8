//! The one import point for what the model checker replaces: `std` in a build, loom under `--cfg millpond_loom`; and for
//! the locks of `std` as the thread sanitizer can see them, under `--cfg millpond_tsan`.

#[cfg(millpond_tsan)]
mod seen;

#[cfg(not(any(millpond_loom, millpond_tsan)))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(millpond_tsan)]
pub(crate) use seen::{Condvar, Mutex, MutexGuard};

#[cfg(not(millpond_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, fence};

#[cfg(millpond_loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, fence},
};

/// Locks of what is in no model.
pub(crate) mod unmodelled {
    #[cfg(millpond_tsan)]
    pub(crate) use super::seen::{Mutex, MutexGuard, RwLock};
    #[cfg(not(millpond_tsan))]
    pub(crate) use std::sync::{Mutex, MutexGuard, RwLock};
}

/// Locks without regard to poison: no code of a user runs under our locks, so a panic elsewhere on the thread says
/// nothing about what they guard.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
