//! The jobs that a worker has at hand and has not started: taken off the shared queue in a batch, or spawned by its own
//! jobs. Any worker that has nothing to do may take them from here.
//!
//! The owner starts them in the order of their coming, one at a time, and holds in its hands only the one that it starts;
//! so nothing is stuck behind it. A thief takes the older half.

use crate::{
    metrics::Entrance,
    queue::take_front,
    sync::{AtomicUsize, Mutex, lock},
    task::Task,
};
use std::{
    collections::VecDeque,
    sync::atomic::Ordering::{Acquire, Release},
};

/// A worker whose jobs spawn more than this sends the rest to the shared queue, which others take from more easily. Eight
/// times the largest batch: enough that a job which spawns by the dozen needs no lock that others want.
const MOST_SPAWNED_JOBS: usize = 256;

/// One worker's backlog.
pub(crate) struct Backlog {
    /// Locked by the owner for each job, and by others only when they have nothing else to do.
    inner: Mutex<Inner>,
    /// The jobs' count, written under the lock, for a look without it.
    len: AtomicUsize,
}

struct Inner {
    jobs: VecDeque<Task>,
    /// Whether jobs that the owner's own jobs spawn get in. The one that shuts the pool down clears it, once. Batches get in
    /// all the same: they were accepted by the shared queue.
    open: bool,
    /// Of those that the owner's own jobs spawn.
    entrance: Entrance,
}

impl Backlog {
    pub(crate) fn new() -> Backlog {
        let inner = Inner { jobs: VecDeque::new(), open: true, entrance: Entrance::new() };
        Backlog { inner: Mutex::new(inner), len: AtomicUsize::new(0) }
    }

    /// Adds a job that one of the owner's spawned. It comes back from a backlog that is long or takes no more.
    pub(crate) fn push(&self, job: Task, eager: bool) -> Result<(), Task> {
        let mut inner = lock(&self.inner);
        if !inner.open || inner.jobs.len() >= MOST_SPAWNED_JOBS {
            return Err(job);
        }
        inner.entrance.admit(&job, eager);
        inner.jobs.push_back(job);
        self.len.store(inner.jobs.len(), Release);
        Ok(())
    }

    /// Adds what the owner took off another queue.
    pub(crate) fn append(&self, batch: &mut VecDeque<Task>) {
        let mut inner = lock(&self.inner);
        inner.jobs.append(batch);
        self.len.store(inner.jobs.len(), Release);
    }

    /// The job that came first. Only the owner calls it.
    pub(crate) fn pop(&self) -> Option<Task> {
        self.take(|_| 1, &mut VecDeque::new())
    }

    /// Takes the older half, at least one: the first, and the rest into `batch`.
    pub(crate) fn steal(&self, batch: &mut VecDeque<Task>) -> Option<Task> {
        self.take(|jobs| jobs.div_ceil(2), batch)
    }

    fn take(&self, share: impl FnOnce(usize) -> usize, batch: &mut VecDeque<Task>) -> Option<Task> {
        if self.is_empty() {
            return None;
        }
        take_front(&mut lock(&self.inner).jobs, &self.len, share, batch)
    }

    /// Jobs that were spawned here so far.
    pub(crate) fn accepted(&self) -> u64 {
        lock(&self.inner).entrance.accepted()
    }

    /// From now on nothing that a job spawns gets in.
    pub(crate) fn close(&self) {
        lock(&self.inner).open = false;
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Drop for Backlog {
    /// A worker that ran has emptied it. One that never came up may have been sent none.
    fn drop(&mut self) {
        while let Some(job) = self.pop() {
            job.never_start();
        }
    }
}
