//! What a pool must be able to do to take part, and how its jobs' workloads are added to a contender.

use std::future::Future;
use std::time::Duration;

/// A pool that runs jobs sent to it by one driver.
///
/// A job is a plain closure: each contender wraps it in the future, the box or the message that its documentation
/// shows. Everything is resolved at compile time, so that the trait itself costs nothing.
pub(crate) trait Pool: Clone + Send + Sync + 'static {
    /// Waits for a job's result.
    type Handle<T: Send + 'static>: Send + 'static;

    /// Starts `workers` threads, runs `driver` where this contender wants it, and ends the threads.
    fn drive<R, Fut, D>(workers: usize, driver: D) -> R
    where
        D: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static;

    /// Sends a job.
    fn spawn<T, F>(&self, job: F) -> Self::Handle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;

    /// Sends a job whose result nobody wants, in the cheapest way that this contender has.
    fn detach<F: FnOnce() + Send + 'static>(&self, job: F) {
        drop(self.spawn(job));
    }

    /// Sends a job that sleeps on its worker's own timer before it runs. Only for pools that have one.
    fn spawn_after<T, F>(&self, pause: Duration, job: F) -> Self::Handle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static;

    /// The job's result. A contender whose driver is a plain thread may block in here.
    fn join<T: Send + 'static>(handle: Self::Handle<T>) -> impl Future<Output = T> + Send;
}
