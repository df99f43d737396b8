//! What a pool has done and does now, as numbers: see [`Handle::metrics`](crate::Handle::metrics).
//!
//! | question | where to look |
//! |---|---|
//! | Is it full? | [`JobCounts::queued`] against [`Metrics::queue_capacity`], [`WorkerMetrics::busy`] against [`idle`](WorkerMetrics::idle) |
//! | Why did a job wait? | [`WorkerMetrics::queue_wait`]: long for all, the pool is full; long for few, a worker was held up |
//! | Who is slow? | [`WorkerMetrics::poll_time`], and [`Handle::stalls`](crate::Handle::stalls) for the culprits |
//! | Is the load even? | [`WorkerMetrics::tasks`], [`started`](WorkerMetrics::started), [`steals`](WorkerMetrics::steals) of each worker |
//! | What does it cost? | [`WorkerMetrics::parks`], [`wakes_sent`](WorkerMetrics::wakes_sent), [`driver_turns`](WorkerMetrics::driver_turns): each is a system call or two |
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = millpond::Pool::builder().worker_threads(2).build()?;
//! let jobs: Vec<_> = (0..100).map(|_| pool.spawn(|| async {})).collect();
//! for job in jobs {
//!     job.join()?;
//! }
//! let metrics = pool.metrics();
//! assert_eq!(metrics.jobs.accepted, 100);
//! for worker in &metrics.workers {
//!     println!("{}: {} jobs, busy for {:?}, idle for {:?}", worker.id, worker.started, worker.busy, worker.idle);
//! }
//! println!("99 in 100 waited for less than {:?}", metrics.queue_wait().quantile(0.99));
//! # Ok(()) }
//! ```
//!
//! # What it costs
//!
//! Counts are each worker's own, written by it alone. The clock is read no more often than the pool needs it anyway: a worker
//! whose polls are short reads it once for eight of them, and their mean stands for each in [`poll_time`](WorkerMetrics::poll_time);
//! where jobs come faster than one in 20 us, one of up to 128 is timed in the queue and stands for all of them in
//! [`queue_wait`](WorkerMetrics::queue_wait). All longer polls, and all waits of slower jobs, are timed one by one.
//!
//! All counts are of the pool's whole life, and never go down but those that say *now*. Rates are the difference of two
//! snapshots.

mod busy;
mod clock;
mod counters;
mod histogram;
mod loops;
mod recorder;
mod snapshot;
mod stamp;

pub use histogram::Histogram;

pub(crate) use clock::nanos;
pub(crate) use counters::Counters;
pub(crate) use loops::{Entered, Loops};
pub(crate) use snapshot::snapshot;
#[cfg(all(test, not(any(millpond_loom, millpond_shuttle))))]
pub(crate) use stamp::MOST_JOBS_PER_STAMP;
pub(crate) use stamp::{Entrance, Stamp};

use crate::WorkerId;
use std::time::Duration;

/// A snapshot of one pool. Dropping it does nothing.
/// Rates are the difference of two:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let before = pool.metrics();
/// pool.spawn(|| async { 19 + 23 }).join()?;
/// let after = pool.metrics();
/// assert_eq!(after.jobs.accepted - before.jobs.accepted, 1);
///
/// // Over all workers: how long jobs waited, and how long polls took.
/// let waits = after.queue_wait().since(&before.queue_wait());
/// let polls = after.poll_time().since(&before.poll_time());
/// println!("waited for {:?} at most, took {:?} at most", waits.max(), polls.max());
/// println!("bulk jobs: {:?}", after.bulk_queue_wait().since(&before.bulk_queue_wait()).max());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// Since the pool was built.
    pub uptime: Duration,
    /// Of the whole pool: its workers, its blocking closures, and the loops of its `block_on` together.
    pub jobs: JobCounts,
    /// Jobs in the shared queue now. But for [bulk](crate::Class::Bulk) jobs.
    pub shared_queue: u64,
    /// Bulk jobs in theirs.
    pub bulk_queue: u64,
    /// How many of each class may be there before `try_spawn` refuses and `submit` waits.
    pub queue_capacity: usize,
    /// Each worker, in order.
    pub workers: Vec<WorkerMetrics>,
    /// Closures of `spawn_blocking`.
    pub blocking: JobCounts,
    /// Tasks that `spawn_local` started in `block_on`, and so in the body of `main`.
    pub block_on: JobCounts,
}

/// What has become of jobs so far. At every instant `accepted` is the sum of those queued, running and ended.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// drop(pool.spawn(|| async { std::future::pending::<()>().await }));
/// let jobs = pool.metrics().jobs;
/// assert_eq!(jobs.accepted, jobs.queued + jobs.tasks + jobs.ended());
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobCounts {
    /// Jobs that got in.
    pub accepted: u64,
    /// Jobs that wait to be started, now. One that was aborted there counts until its turn comes.
    pub queued: u64,
    /// Jobs that have started and are not over, now.
    pub tasks: u64,
    /// Jobs that have started so far, over or not.
    pub started: u64,
    /// Jobs that ran to their end.
    pub completed: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs that were aborted, started or not.
    pub aborted: u64,
    /// Jobs that had started, and were dropped by a shutdown.
    pub cut_off: u64,
    /// Jobs that a shutdown dropped before they started.
    pub never_started: u64,
    /// Jobs whose deadline had passed when their turn came.
    pub expired: u64,
}

/// One worker's share.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// for worker in &pool.metrics().workers {
///     let share = worker.busy.as_secs_f64() / (worker.busy + worker.idle).as_secs_f64();
///     println!("{}: {} tasks, {:.0} % busy", worker.id, worker.tasks, 100.0 * share);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct WorkerMetrics {
    /// Which one.
    pub id: WorkerId,
    /// Jobs that got in by this worker: sent to it alone, or spawned by its own jobs. Another may have run those.
    pub accepted: u64,
    /// Jobs that wait here, now: those for this worker alone, and those at hand that another could take.
    pub queued: u64,
    /// Jobs that have started here and are not over, now.
    pub tasks: u64,
    /// Jobs that have started here so far.
    pub started: u64,
    /// Jobs that ran to their end.
    pub completed: u64,
    /// Jobs that panicked.
    pub panicked: u64,
    /// Jobs that were aborted, started or not.
    pub aborted: u64,
    /// Jobs that had started, and were dropped by a shutdown.
    pub cut_off: u64,
    /// Jobs that a shutdown dropped before they started.
    pub never_started: u64,
    /// Jobs whose deadline had passed when their turn came.
    pub expired: u64,
    /// Polls of tasks.
    pub polls: u64,
    /// Takes off the shared queue.
    pub batches: u64,
    /// Jobs in them.
    pub batch_jobs: u64,
    /// Takes of what other workers had at hand.
    pub steals: u64,
    /// Jobs in them.
    pub stolen_jobs: u64,
    /// Waits for the driver with nothing to do.
    pub parks: u64,
    /// Wakes of other workers, and of loops of `block_on`, that this one has sent.
    pub wakes_sent: u64,
    /// Wakes that ended a sleep of this one, from whatever thread.
    pub wakes_received: u64,
    /// Turns of the driver beside work: timers and completions are served in them.
    pub driver_turns: u64,
    /// How often a task has held it for longer than the [threshold](crate::Builder::stall_threshold).
    pub stalls: u64,
    /// For how long it had something to do so far, up to this instant.
    pub busy: Duration,
    /// For how long it had not.
    pub idle: Duration,
    /// How long the jobs that it has started had waited since they were accepted. But for [bulk](crate::Class::Bulk) jobs.
    pub queue_wait: Histogram,
    /// How long the bulk jobs that it has started had waited. Those for this worker alone are among the others.
    pub bulk_queue_wait: Histogram,
    /// How long its polls took, with the loop's own work for each: some 100 ns. By the clock on the wall: time in which the
    /// thread did not get the CPU counts.
    pub poll_time: Histogram,
}

impl Metrics {
    /// The workers' histograms of the wait in the queue, merged. But for [bulk](crate::Class::Bulk) jobs.
    pub fn queue_wait(&self) -> Histogram {
        self.merged(|worker| &worker.queue_wait)
    }

    /// The same of bulk jobs.
    pub fn bulk_queue_wait(&self) -> Histogram {
        self.merged(|worker| &worker.bulk_queue_wait)
    }

    /// The workers' histograms of the polls, merged.
    pub fn poll_time(&self) -> Histogram {
        self.merged(|worker| &worker.poll_time)
    }

    fn merged(&self, of: impl Fn(&WorkerMetrics) -> &Histogram) -> Histogram {
        let mut merged = Histogram::default();
        self.workers.iter().for_each(|worker| merged.merge(of(worker)));
        merged
    }
}

impl JobCounts {
    /// All that are over.
    pub fn ended(&self) -> u64 {
        self.completed + self.panicked + self.aborted + self.cut_off + self.never_started + self.expired
    }
}
