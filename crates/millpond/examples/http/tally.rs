//! What each worker has done.

use std::sync::atomic::{AtomicU64, Ordering};

/// One line of counts a worker, which only that worker writes. Read by the main thread at the end.
#[derive(Debug)]
pub(crate) struct Tally(Vec<Counts>);

/// In a place of its own in the caches, so that workers do not slow each other down by counting.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Counts {
    connections: AtomicU64,
    requests: AtomicU64,
}

impl Tally {
    pub(crate) fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| Counts::default()).collect())
    }

    /// Those of the worker that this runs on.
    pub(crate) fn mine(&self) -> &Counts {
        &self.0[millpond::worker_id().index()]
    }

    pub(crate) fn table(&self) -> String {
        let rows = self.0.iter().enumerate().map(|(worker, counts)| {
            let (connections, requests) = counts.read();
            format!("worker {worker}: {connections} connections, {requests} requests\n")
        });
        rows.collect()
    }
}

impl Counts {
    pub(crate) fn connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> (u64, u64) {
        (self.connections.load(Ordering::Relaxed), self.requests.load(Ordering::Relaxed))
    }
}
