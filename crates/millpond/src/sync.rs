//! The one import point for what checkers replace: `std` in a build, loom under `--cfg millpond_loom`, shuttle under
//! `--cfg millpond_shuttle`; and for the locks of `std` as the thread sanitizer can see them, under `--cfg millpond_tsan`.
//!
//! loom runs single protocols in every order, and needs the locks and atomics of these alone. shuttle runs whole pools, so
//! it needs all by which one thread can wait for another, and time.

#[cfg(millpond_shuttle)]
mod model_time;
#[cfg(not(millpond_shuttle))]
mod real_time;
#[cfg(millpond_tsan)]
mod seen;

#[cfg(not(any(millpond_loom, millpond_shuttle, millpond_tsan)))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(millpond_tsan)]
pub(crate) use seen::{Condvar, Mutex, MutexGuard};

#[cfg(not(any(millpond_loom, millpond_shuttle)))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, fence};

#[cfg(millpond_loom)]
pub(crate) use loom::sync::{
    Condvar, Mutex, MutexGuard,
    atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, fence},
};

#[cfg(not(millpond_shuttle))]
pub(crate) use {
    real_time::{now, wait_timeout},
    std::{sync::mpsc, thread, thread_local},
};

#[cfg(millpond_shuttle)]
pub(crate) use {
    model_time::{now, wait_timeout},
    shuttle::{
        sync::{
            Condvar, Mutex, MutexGuard,
            atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicUsize, fence},
            mpsc,
        },
        thread, thread_local,
    },
};

/// Locks of what is in no model.
pub(crate) mod unmodelled {
    #[cfg(millpond_tsan)]
    pub(crate) use super::seen::{Mutex, MutexGuard, RwLock};
    #[cfg(not(millpond_tsan))]
    pub(crate) use std::sync::{Mutex, MutexGuard, RwLock};

    /// As [`lock`](super::lock).
    pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Locks without regard to poison: no code of a user runs under our locks, so a panic elsewhere on the thread says
/// nothing about what they guard.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Lets the lock go until the condition is notified, which may also be for nothing.
pub(crate) fn wait<'a, T>(changed: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    // Ended by whoever notifies; the caller says who.
    changed.wait(guard).unwrap_or_else(std::sync::PoisonError::into_inner)
}
