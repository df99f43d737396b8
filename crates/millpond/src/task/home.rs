//! The loop that runs a task, and who keeps it.
//!
//! Whoever wakes a task from another thread needs its home's inbox, also when the pool has gone meanwhile. But most jobs
//! end in their first poll, and a count of the home for each of them would be written by the worker and by whoever drops
//! the handle, on one line. So a cell takes its count only when the first poll has left the task pending, before a wake
//! can find it idle, and the home's thread gives the count back when the task ends. One case is left to the cell's own
//! end: a wake that came in between has claimed the task (`NOTIFIED`) and may be about to look here.
//!
//! A job that waits has no home yet. Its place holds when the job was accepted, if that is known.

use crate::{metrics::Stamp, remote::Remote, sync::AtomicPtr};
use std::{
    ptr::{null_mut, without_provenance_mut},
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// Set in the pointer while the cell has a count of the remote. Its alignment leaves the bit free.
const KEPT: usize = 1;

/// Set in a stamp. No address of a program on Linux has its first bit set.
const STAMPED: usize = 1 << (usize::BITS - 1);
/// In a stamp, above the bit of `KEPT`: the jobs that it speaks for, less one. 128 at most, so 7 bits.
const JOBS_SHIFT: u32 = 1;
const JOBS_BITS: u32 = 7;
/// Above them the time, in units that fit the rest: of 8 ns, good for 9 years, or where a pointer has 32 bits of 67 ms, good for
/// 6 days.
const TIME_SHIFT: u32 = JOBS_SHIFT + JOBS_BITS;
const TIME_UNIT_BITS: u32 = if usize::BITS == 64 { 3 } else { 26 };

/// A task's home.
pub(crate) struct Home {
    /// Null or a stamp before the start; written by the home's thread before `STARTED`, so `Relaxed` does. `KEPT` comes and goes by the
    /// home's thread alone, and by the one that frees the cell. In one word: a queued job should take as little memory as
    /// it can.
    remote: AtomicPtr<Remote>,
}

impl Home {
    pub(super) fn none() -> Home {
        Home { remote: AtomicPtr::new(null_mut()) }
    }

    /// The home of a task that starts as a future, with its count.
    pub(super) fn kept(remote: Arc<Remote>) -> Home {
        Home { remote: AtomicPtr::new(kept(Arc::into_raw(remote).cast_mut())) }
    }

    /// Notes when the job was accepted. Before anyone else can have it.
    pub(super) fn set_stamp(&self, stamp: Stamp) {
        let jobs = (stamp.jobs - 1) as usize & ((1 << JOBS_BITS) - 1);
        let time = (stamp.at_ns >> TIME_UNIT_BITS) as usize;
        let word = STAMPED | time << TIME_SHIFT | jobs << JOBS_SHIFT;
        self.remote.store(without_provenance_mut(word), Relaxed);
    }

    /// When the job was accepted, if that was noted and it has not started.
    #[inline]
    pub(super) fn stamp(&self) -> Option<Stamp> {
        let word = self.remote.load(Relaxed).addr();
        let jobs = word >> JOBS_SHIFT & ((1 << JOBS_BITS) - 1);
        let time = (word & !STAMPED) >> TIME_SHIFT;
        let stamp = Stamp { at_ns: (time as u64) << TIME_UNIT_BITS, jobs: jobs as u64 + 1 };
        (word & STAMPED != 0).then_some(stamp)
    }

    /// The job is about to start on the present loop, which keeps its own count until its tasks have ended.
    pub(super) fn set(&self, remote: &Arc<Remote>) {
        self.remote.store(Arc::as_ptr(remote).cast_mut(), Relaxed);
    }

    /// Whether this is `remote`. Asked from any thread: it compares addresses and looks at nothing.
    pub(super) fn is(&self, remote: &Arc<Remote>) -> bool {
        std::ptr::eq(self.remote(), Arc::as_ptr(remote))
    }

    /// The first poll is over, and the task lives on: from now on wakes look here.
    ///
    /// # Safety
    /// On the home's thread, with `RUNNING`.
    pub(super) unsafe fn keep(&self) {
        let remote = self.remote();
        if !remote.is_null() && !self.is_kept() {
            self.remote.store(kept(remote), Relaxed);
            // SAFETY: it came from an Arc, and the loop of this thread holds one.
            unsafe { Arc::increment_strong_count(remote) };
        }
    }

    /// Gives the count back, if there is one.
    ///
    /// # Safety
    /// On the home's thread, when the task is over and no wake has claimed it; or by the one that frees the cell.
    pub(super) unsafe fn release(&self) {
        if self.is_kept() {
            let remote = self.remote();
            self.remote.store(remote, Relaxed);
            // SAFETY: the count that `keep` or `kept` took.
            unsafe { Arc::decrement_strong_count(remote) };
        }
    }

    /// # Safety
    /// On the home's thread, while its loop lives.
    pub(super) unsafe fn on_its_thread(&self) -> Option<&Remote> {
        // SAFETY: the loop of this thread keeps its remote.
        unsafe { self.remote().as_ref() }
    }

    /// A count for one that has claimed the task (`NOTIFIED`) and not queued it yet.
    ///
    /// # Safety
    /// The caller made the task `NOTIFIED` while it was idle, and has not passed the reference on.
    pub(super) unsafe fn claimed(&self) -> Option<Arc<Remote>> {
        let remote = self.remote();
        if remote.is_null() {
            return None;
        }
        // SAFETY: an idle task is kept (`keep` came before the end of its first poll), and is not released before it is
        // polled again, for which the caller has to queue it, or frees its reference.
        unsafe {
            Arc::increment_strong_count(remote);
            Some(Arc::from_raw(remote))
        }
    }

    /// Null while there is none.
    fn remote(&self) -> *mut Remote {
        let remote = self.remote.load(Relaxed);
        if remote.addr() & STAMPED != 0 { null_mut() } else { remote.map_addr(|address| address & !KEPT) }
    }

    fn is_kept(&self) -> bool {
        self.remote.load(Relaxed).addr() & KEPT != 0
    }
}

fn kept(remote: *mut Remote) -> *mut Remote {
    const { assert!(align_of::<Remote>() > KEPT) };
    remote.map_addr(|address| address | KEPT)
}

impl Drop for Home {
    fn drop(&mut self) {
        // SAFETY: the cell is being freed.
        unsafe { self.release() };
    }
}

#[cfg(all(test, not(any(millpond_loom, millpond_shuttle))))]
mod tests {
    use super::*;
    use crate::metrics::MOST_JOBS_PER_STAMP;

    #[test]
    fn a_stamp_comes_back_and_is_no_home() {
        assert_eq!(MOST_JOBS_PER_STAMP, 1 << JOBS_BITS);
        for stamp in [Stamp { at_ns: 8, jobs: 1 }, Stamp { at_ns: 1 << 57, jobs: MOST_JOBS_PER_STAMP }] {
            let home = Home::none();
            assert_eq!(home.stamp(), None);
            home.set_stamp(stamp);
            assert_eq!(home.stamp(), Some(stamp));
            assert!(home.remote().is_null() && !home.is_kept());
        }
    }
}
