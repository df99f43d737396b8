//! The one import point for what the model checker replaces: `std` in a build, loom under `--cfg millpond_loom`.

#[cfg(not(millpond_loom))]
pub(crate) use std::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, fence},
};

#[cfg(millpond_loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, fence},
};

/// Locks without regard to poison: no code of a user runs under our locks, so a panic elsewhere on the thread says
/// nothing about what they guard.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
