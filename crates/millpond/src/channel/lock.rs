//! The lock of each half of a channel: held for a few nanoseconds, and released by a plain store.
//!
//! A send costs one atomic step so, where `std`'s mutex costs two: that one has to learn at each release whether someone
//! sleeps on it. Nobody sleeps here. Whoever finds the lock taken looks again for a moment, then lets the scheduler run
//! whoever holds it, and at last naps: a holder that was preempted, and stands behind us, gets its turn.

use std::ops::{Deref, DerefMut};

#[cfg(not(any(millpond_loom, millpond_shuttle)))]
pub(super) use spinning::{Guard, Lock};

/// A model checker would try out every number of looks; its own mutex has the same meaning.
#[cfg(any(millpond_loom, millpond_shuttle))]
pub(super) use modelled::{Guard, Lock};

#[cfg(not(any(millpond_loom, millpond_shuttle)))]
mod spinning {
    use std::{
        cell::UnsafeCell,
        hint,
        sync::atomic::{
            AtomicBool,
            Ordering::{Acquire, Relaxed, Release},
        },
        thread,
        time::Duration,
    };

    /// About a microsecond: far longer than a hold, shorter than a change of threads.
    const LOOKS: u32 = 64;
    /// Then as many times the scheduler is asked to run another. Each costs about 300 ns where there is no other.
    const YIELDS: u32 = 32;
    /// Then naps. Only a holder that the scheduler will not run beside us gets us there: one of lower real-time priority.
    const NAP_US: u64 = 50;

    pub(crate) struct Lock<T> {
        held: AtomicBool,
        value: UnsafeCell<T>,
    }

    pub(crate) struct Guard<'a, T>(&'a Lock<T>);

    // SAFETY: the value is reached through a guard alone, and there is one guard at a time: whoever turned `held` to true.
    // So a shared lock hands the value from thread to thread, as a mutex does, and no more.
    unsafe impl<T: Send> Sync for Lock<T> {}
    // SAFETY: a shared guard gives a shared value.
    unsafe impl<T: Sync> Sync for Guard<'_, T> {}

    impl<T> Lock<T> {
        pub(crate) const fn new(value: T) -> Lock<T> {
            Lock { held: AtomicBool::new(false), value: UnsafeCell::new(value) }
        }

        #[inline]
        pub(crate) fn lock(&self) -> Guard<'_, T> {
            // Acquire: what the last holder wrote is seen.
            if self.held.compare_exchange(false, true, Acquire, Relaxed).is_err() {
                self.contend();
            }
            Guard(self)
        }

        #[cold]
        fn contend(&self) {
            let mut rounds = 0;
            loop {
                // Read before it is tried again: a read leaves the line where its holder works.
                // Ended by the holder's release. It holds the lock over no wait and no code of a user.
                if !self.held.load(Relaxed)
                    && self.held.compare_exchange_weak(false, true, Acquire, Relaxed).is_ok()
                {
                    return;
                }
                match rounds {
                    ..LOOKS => hint::spin_loop(),
                    _ if rounds < LOOKS + YIELDS => thread::yield_now(),
                    _ => thread::sleep(Duration::from_micros(NAP_US)),
                }
                rounds = rounds.saturating_add(1);
            }
        }
    }

    impl<T> Guard<'_, T> {
        pub(super) fn get(&self) -> &T {
            // SAFETY: this guard is the only one, see `Sync` above; what it gives out ends with the borrow.
            unsafe { &*self.0.value.get() }
        }

        pub(super) fn get_mut(&mut self) -> &mut T {
            // SAFETY: as above, and `&mut self` makes it the only borrow.
            unsafe { &mut *self.0.value.get() }
        }
    }

    impl<T> Drop for Guard<'_, T> {
        #[inline]
        fn drop(&mut self) {
            // Release: the next holder sees what was written here.
            self.0.held.store(false, Release);
        }
    }
}

#[cfg(any(millpond_loom, millpond_shuttle))]
mod modelled {
    use crate::sync::{Mutex, MutexGuard, lock};

    pub(crate) struct Lock<T>(Mutex<T>);

    pub(crate) struct Guard<'a, T>(MutexGuard<'a, T>);

    impl<T> Lock<T> {
        pub(crate) fn new(value: T) -> Lock<T> {
            Lock(Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> Guard<'_, T> {
            Guard(lock(&self.0))
        }
    }

    impl<T> Guard<'_, T> {
        pub(super) fn get(&self) -> &T {
            &self.0
        }

        pub(super) fn get_mut(&mut self) -> &mut T {
            &mut self.0
        }
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        self.get()
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.get_mut()
    }
}
