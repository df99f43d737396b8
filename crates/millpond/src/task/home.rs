//! The loop that runs a task, and who keeps it.
//!
//! Whoever wakes a task from another thread needs its home's inbox, also when the pool has gone meanwhile. But most jobs
//! end in their first poll, and a count of the home for each of them would be written by the worker and by whoever drops
//! the handle, on one line. So a cell takes its count only when the first poll has left the task pending, before a wake
//! can find it idle, and the home's thread gives the count back when the task ends. One case is left to the cell's own
//! end: a wake that came in between has claimed the task (`NOTIFIED`) and may be about to look here.
//!
//! A job that waits has no home yet. In its place is what is known of the wait: see [`waiting`].

use super::waiting::{self, Waiting};
use crate::{remote::Remote, sync::AtomicPtr};
use std::{
    ptr::null_mut,
    sync::{Arc, atomic::Ordering::Relaxed},
};

/// Set in the pointer while the cell has a count of the remote. Its alignment leaves the bit free.
const KEPT: usize = 1;

/// A task's home.
pub(crate) struct Home {
    /// Null or a [`Waiting`] before the start; written by the home's thread before `STARTED`, so `Relaxed` does. `KEPT` comes and goes by the
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

    /// Notes what is known of the job's wait. Before anyone else can have it, or by the holder of the queue's reference.
    pub(super) fn set_waiting(&self, waiting: Waiting) {
        self.remote.store(waiting.into_word(), Relaxed);
    }

    /// What was noted of the wait, which is over.
    ///
    /// # Safety
    /// By the holder of the queue's reference to a job that has not started, or the one that frees the cell.
    #[inline]
    pub(super) unsafe fn take_waiting(&self) -> Waiting {
        let word = self.remote.load(Relaxed);
        if !waiting::is_one(word) {
            return Waiting::default();
        }
        self.remote.store(null_mut(), Relaxed);
        // SAFETY: `set_waiting` has stored it, and by the contract no one else takes it.
        unsafe { Waiting::from_word(word) }
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
        if waiting::is_one(remote) { null_mut() } else { remote.map_addr(|address| address & !KEPT) }
    }

    fn is_kept(&self) -> bool {
        let remote = self.remote.load(Relaxed);
        remote.addr() & KEPT != 0 && !waiting::is_one(remote)
    }
}

fn kept(remote: *mut Remote) -> *mut Remote {
    const { assert!(align_of::<Remote>() > KEPT) };
    remote.map_addr(|address| address | KEPT)
}

impl Drop for Home {
    fn drop(&mut self) {
        // SAFETY: the cell is being freed.
        unsafe {
            self.take_waiting();
            self.release();
        }
    }
}
