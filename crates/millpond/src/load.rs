//! What a worker shows of its load to the others.

use crate::sync::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

/// Two counts of one worker. Only it writes them; others read them now and then, as hints, so nothing is ordered by them.
#[derive(Debug)]
pub(crate) struct Load {
    /// Started tasks that are not over. Written when one comes or goes, so jobs that end in their first poll leave it alone.
    tasks: AtomicUsize,
    /// Counts the worker's steps, and wraps. A worker whose count stands still is in a long poll, or asleep.
    steps: AtomicUsize,
}

impl Load {
    pub(crate) fn new() -> Load {
        Load { tasks: AtomicUsize::new(0), steps: AtomicUsize::new(0) }
    }

    pub(crate) fn tasks(&self) -> usize {
        self.tasks.load(Relaxed)
    }

    pub(crate) fn set_tasks(&self, tasks: usize) {
        self.tasks.store(tasks, Relaxed);
    }

    pub(crate) fn steps(&self) -> usize {
        self.steps.load(Relaxed)
    }

    pub(crate) fn count_step(&self) {
        self.steps.store(self.steps().wrapping_add(1), Relaxed);
    }
}
