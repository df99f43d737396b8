//! Tasks that hold their worker, found while they do.
//!
//! A worker shows two things as it goes ([`Load`](crate::load::Load)): a count of its steps, and what the present step runs.
//! Both are one store. A thread of the pool, the watch, looks at them now and then ([`watch`]). A worker whose count stands
//! still while something runs has been in one poll since the earlier look ([`suspicion`]); time that its thread spent in the
//! kernel's queue for a CPU is taken off ([`thread_time`]).

#[cfg(feature = "backtrace")]
mod backtrace;
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
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (tell, told) = std::sync::mpsc::channel();
/// let pool = millpond::Pool::builder()
///     .worker_threads(1)
///     .stall_threshold(Duration::from_millis(5))
///     .on_stall(move |stall| drop(tell.send(stall.to_string())))
///     .build()?;
/// let job = pool.with_options(millpond::JobOptions::new().name("sums")).spawn(move || async move {
///     let mut sum = 0_u64;
///     // Computes until it is told of: with no await nothing else runs on this worker.
///     let told = loop {
///         if let Ok(told) = told.try_recv() {
///             break told;
///         }
///         sum = (0..1_000).fold(sum, u64::wrapping_add);
///     };
///     println!("{told}"); // worker 0 is held for 5 ms or more by sums, spawned at …
///     sum
/// });
/// job.join()?;
/// let stall = &pool.stalls()[0];
/// assert_eq!(stall.name, Some("sums"));
/// assert!(stall.held >= Duration::from_millis(5));
/// # Ok(()) }
/// ```
///
/// # The backtrace
///
/// It needs the feature `backtrace`, and glibc 2.35 or later, whose tables can be read in a signal's handler. The thread that
/// is held is sent SIGURG, once for each stall; the handler calls whatever handler of SIGURG was there before. System calls
/// that can be restarted are; of others, a foreign function may see `EINTR`, as from any signal (`nanosleep`, `poll`,
/// `epoll_wait`; `std` goes on by itself). A thread that has SIGURG blocked, or that does not answer in 100 ms, has no
/// backtrace. The names are made on the thread that watches: for the first stall that takes up to a second and more, in which
/// it reads the program's symbols and looks at no worker.
///
/// A release build has names of functions, unless it is stripped, and no lines. `debug = "line-tables-only"` in its profile
/// gives the lines, and the functions that the compiler has put into others.
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
    /// What the worker's thread was doing: a line for each function and one for its place, from where it was outwards to the
    /// task's own. `None` where there is none: see [above](Self#the-backtrace).
    pub backtrace: Option<Arc<str>>,
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (worker, ms) = (self.worker, self.held.as_millis());
        let name = self.name.unwrap_or("a task");
        write!(f, "{worker} is held for {ms} ms or more by {name}, spawned at {}", self.location)
    }
}
