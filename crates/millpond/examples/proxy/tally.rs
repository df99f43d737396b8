//! What each worker has done, for the table.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use indicatif::HumanCount;
use millpond::WorkerId;

/// One count a worker.
#[derive(Debug)]
pub(crate) struct Tally {
    workers: Vec<Count>,
}

/// Written by its worker only and read by the thread that prints, hence relaxed: a table in between may be a moment late,
/// and the last one is exact, as the server's end has waited for all connections. A cache line pair of its own, so that
/// workers do not slow each other by counting.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Count {
    /// All that came.
    connections: AtomicU64,
    /// Of these, the ones that are not over.
    open: AtomicU64,
    /// The ones that the upstream did not take.
    no_upstream: AtomicU64,
    /// The ones that did not end in order.
    reset: AtomicU64,
    /// Bytes that the upstream's socket took.
    to_upstream: AtomicU64,
    /// Bytes that the clients' sockets took.
    to_client: AtomicU64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    ToUpstream,
    ToClient,
}

/// A connection that is open. Dropped before its end it counts as reset.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    count: &'a Count,
    over: bool,
}

impl Tally {
    pub(crate) fn new(workers: usize) -> Self {
        Self { workers: (0..workers).map(|_| Count::default()).collect() }
    }

    /// A connection has come to this worker.
    pub(crate) fn enter(&self, worker: WorkerId) -> Entry<'_> {
        let count = &self.workers[worker.index()];
        count.connections.fetch_add(1, Relaxed);
        count.open.fetch_add(1, Relaxed);
        Entry { count, over: false }
    }
}

impl Count {
    /// So many bytes were passed on.
    pub(crate) fn add(&self, way: Way, bytes: usize) {
        let counter = match way {
            Way::ToUpstream => &self.to_upstream,
            Way::ToClient => &self.to_client,
        };
        counter.fetch_add(bytes as u64, Relaxed);
    }

    fn figures(&self) -> [u64; 6] {
        let Self { connections, open, no_upstream, reset, to_upstream, to_client } = self;
        [connections, open, no_upstream, reset, to_upstream, to_client].map(|counter| counter.load(Relaxed))
    }
}

impl Entry<'_> {
    pub(crate) fn count(&self) -> &Count {
        self.count
    }

    /// Both sides have ended in order.
    pub(crate) fn ended(mut self) {
        self.over = true;
    }

    /// The upstream did not take it.
    pub(crate) fn no_upstream(mut self) {
        self.count.no_upstream.fetch_add(1, Relaxed);
        self.over = true;
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.count.open.fetch_sub(1, Relaxed);
        self.count.reset.fetch_add(u64::from(!self.over), Relaxed);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = ["connections", "open", "no upstream", "reset", "to upstream", "to client"];
        row(f, "worker", names.map(str::to_owned))?;
        let mut total = [0; 6];
        for (worker, count) in self.workers.iter().enumerate() {
            let figures = count.figures();
            total = std::array::from_fn(|column| total[column] + figures[column]);
            row(f, &worker.to_string(), figures.map(|figure| HumanCount(figure).to_string()))?;
        }
        row(f, "total", total.map(|figure| HumanCount(figure).to_string()))
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, cells: [String; 6]) -> fmt::Result {
    let [connections, open, no_upstream, reset, to_upstream, to_client] = cells;
    writeln!(
        f,
        "{name:<8} {connections:>13} {open:>8} {no_upstream:>12} {reset:>8} {to_upstream:>16} {to_client:>16}"
    )
}
