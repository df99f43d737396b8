//! What a worker shows of its load to the others.

use crate::{
    sync::AtomicUsize,
    task::{Origin, Running},
};
use std::sync::atomic::Ordering::Relaxed;

/// Two counts of one worker, and what it runs. Only it writes them; others read them now and then, as hints.
#[derive(Debug)]
pub(crate) struct Load {
    /// Started tasks that are not over. Written when one comes or goes, so jobs that end in their first poll leave it alone.
    tasks: AtomicUsize,
    /// Counts the worker's steps, and wraps. A worker whose count stands still is in a long poll, or asleep.
    steps: AtomicUsize,
    /// What the present step runs, written after the count of it. Empty while the worker has nothing to do, or its driver has
    /// its turn. That is what the watch for stalls goes by.
    running: Running,
}

impl Load {
    pub(crate) fn new() -> Load {
        Load { tasks: AtomicUsize::new(0), steps: AtomicUsize::new(0), running: Running::default() }
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

    /// Says whether nothing ran before.
    pub(crate) fn set_running(&self, origin: Origin) -> bool {
        self.running.set(origin)
    }

    pub(crate) fn set_idle(&self) {
        self.running.clear();
    }

    pub(crate) fn running(&self) -> Option<Origin> {
        self.running.get()
    }

    pub(crate) fn count_step(&self) {
        self.steps.store(self.steps().wrapping_add(1), Relaxed);
    }
}
