//! What a job can be told beside its closure.

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
}
