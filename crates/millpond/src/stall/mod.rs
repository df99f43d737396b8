//! Tasks that hold their worker, found while they do.
//!
//! A worker shows two things as it goes ([`Load`](crate::load::Load)): a count of its steps, and what the present step runs.
//! Both are one store. A thread of the pool, the watch, looks at them now and then ([`watch`]). A worker whose count stands
//! still while something runs has been in one poll since the earlier look ([`suspicion`]); time that its thread spent in the
//! kernel's queue for a CPU is taken off ([`thread_time`]).

mod suspicion;
mod thread_time;
mod watch;
mod watcher;

pub(crate) use watch::Watch;
pub(crate) use watcher::{WatchThread, start};

use crate::WorkerId;
use std::{
    fmt,
    panic::Location,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// A task that held its worker for longer than the [threshold](crate::Builder::stall_threshold): as long as it did, nothing
/// else ran there. Dropping it does nothing.
///
/// [`Handle::stalls`](crate::Handle::stalls) lists the newest, [`Builder::on_stall`](crate::Builder::on_stall) is told of
/// each, and [`WorkerMetrics::stalls`](crate::metrics::WorkerMetrics::stalls) counts them. As text it is one line, without
/// the backtrace.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stall {
    /// The worker that was held.
    pub worker: WorkerId,
    /// The job's name, if it was given one by [`JobOptions::name`](crate::JobOptions::name).
    pub name: Option<&'static str>,
    /// Where the job was spawned.
    pub location: &'static Location<'static>,
    /// For how long, at least, when it was noticed. In the end it was longer; by how much,
    /// [`poll_time`](crate::metrics::WorkerMetrics::poll_time) shows.
    pub held: Duration,
    /// When it was noticed.
    pub noticed: SystemTime,
    /// What the worker's thread was doing, a line or two for each frame. `None` unless the feature `backtrace` is on and the
    /// thread answered.
    pub backtrace: Option<Arc<str>>,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (worker, ms) = (self.worker, self.held.as_millis());
        let name = self.name.unwrap_or("a task");
        write!(f, "{worker} is held for {ms} ms or more by {name}, spawned at {}", self.location)
    }
}
