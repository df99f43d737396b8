//! What a job can be told beside its closure.

use crate::Class;
use std::time::Instant;

/// Options of jobs, for [`Handle::with_options`](crate::Handle::with_options). Dropping them does nothing.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use millpond::{JobOptions, Pool};
///
/// let pool = Pool::builder().worker_threads(1).build()?;
/// let hashing = pool.with_options(JobOptions::new().name("hash"));
/// assert_eq!(hashing.spawn(|| async { 6 * 7 }).join()?, 42);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "options do nothing by themselves"]
pub struct JobOptions {
    pub(crate) name: Option<&'static str>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) class: Class,
}

impl JobOptions {
    /// Those of a plain job.
    pub fn new() -> JobOptions {
        JobOptions::default()
    }

    /// The name in reports of the job: a [`Stall`](crate::Stall), a span.
    ///
    /// It stands for a kind of job, not for one: reports are grouped by it, and each name is kept for the life of the process
    /// once for every place that spawns a job of it.
    pub fn name(mut self, name: &'static str) -> JobOptions {
        self.name = Some(name);
        self
    }

    /// When it is too late to start. A job whose turn comes then is dropped and never runs, and its handle says
    /// [`is_expired`](crate::JoinError::is_expired): no sooner than its turn would have come. One that has started runs on.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::{Duration, Instant};
    ///
    /// let pool = millpond::Pool::builder().worker_threads(1).build()?;
    /// let options = millpond::JobOptions::new().deadline(Instant::now() + Duration::from_millis(1));
    /// drop(pool.spawn(|| async { std::thread::sleep(Duration::from_millis(20)) })); // holds the one worker up
    /// let late = pool.with_options(options).spawn(|| async { "never said" });
    /// assert!(late.join().unwrap_err().is_expired());
    /// # Ok(()) }
    /// ```
    pub fn deadline(mut self, deadline: Instant) -> JobOptions {
        self.deadline = Some(deadline);
        self
    }

    /// How soon the job is to start, beside others that wait. By default [`Class::Interactive`].
    ///
    /// Each class has a shared queue of its own, with a [capacity](crate::Builder::queue_capacity) of its own: a million bulk
    /// jobs neither keep an interactive one waiting nor have it refused. A worker that has jobs of both classes to choose from
    /// starts interactive ones, and a bulk one every eighth time; with jobs of one class it starts those. So bulk work takes
    /// what the others leave, and at least an eighth of the starts.
    ///
    /// It decides on the start alone. A job that runs is not interrupted: an interactive one waits for the present polls of
    /// the workers, so bulk jobs should be short, or await often. Nor does a bulk job pass its class on to what it spawns.
    /// Jobs for one worker ([`spawn_on`](crate::Handle::spawn_on), [`spawn_by_key`](crate::Handle::spawn_by_key),
    /// [`broadcast`](crate::Handle::broadcast)) start in the order of their coming, whatever their class, and closures of
    /// [`spawn_blocking`](crate::Handle::spawn_blocking) have threads of their own.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use millpond::{Class, JobOptions, Pool};
    ///
    /// let pool = Pool::builder().worker_threads(1).build()?;
    /// let background = pool.with_options(JobOptions::new().class(Class::Bulk));
    /// let reindexed: Vec<_> = (0..1000).map(|n| background.spawn(move || async move { n })).collect();
    /// let answer = pool.spawn(|| async { "at once" }); // starts before most of them
    /// assert_eq!(answer.join()?, "at once");
    /// # drop(reindexed);
    /// # Ok(()) }
    /// ```
    pub fn class(mut self, class: Class) -> JobOptions {
        self.class = class;
        self
    }
}
