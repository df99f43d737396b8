//! The owner of the workers.

use crate::{
    BuildError, Builder, Handle, Receipt, WorkerId, block_on, context,
    driver::{DriverKind, on_driver},
    shared::Shared,
    stall,
    sync::{now, thread},
    task::Origin,
    trace::Span,
};
use std::{
    fmt,
    future::{Future, poll_fn},
    ops::Deref,
    sync::Arc,
    time::{Duration, Instant},
};

/// A pool of pinned workers, each a thread with its own runtime.
///
/// Dropping it cuts off: no job starts any more, every started one is dropped on its own worker at its next await, and
/// the threads are joined. A job that computes without an await is waited for; so two pools must not each be owned by a
/// job of the other, where both drops would wait. To let everything end that was accepted, call one of the shutdowns.
///
/// It submits jobs as its [`Handle`] does, to which it derefs.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::new()?;
/// let jobs: Vec<_> = (1..=10).map(|n: u32| pool.spawn(move || async move { n * n })).collect();
/// let sum = jobs.into_iter().map(|job| job.join()).sum::<Result<u32, _>>()?;
/// assert_eq!(sum, 385);
/// assert_eq!(pool.shutdown_blocking().completed, 10);
/// # Ok(()) }
/// ```
#[must_use = "dropping a pool cuts off its jobs"]
pub struct Pool {
    handle: Handle,
    /// The workers' threads, until they are joined.
    threads: Vec<thread::JoinHandle<()>>,
    /// The thread that looks for stalls, until it is joined. `None` too if nobody does.
    watch: Option<stall::WatchThread>,
    driver: DriverKind,
    /// For the loops of `block_on`, which get what a worker gets.
    ring_entries: u32,
}

impl Pool {
    pub(crate) fn from_parts(
        shared: Arc<Shared>,
        threads: Vec<thread::JoinHandle<()>>,
        driver: DriverKind,
        ring_entries: u32,
    ) -> Pool {
        Pool { handle: Handle::new(shared), threads, watch: None, driver, ring_entries }
    }

    /// Has the workers watched, which are up.
    pub(crate) fn start_watch(&mut self, thread_name: &str) -> Result<(), BuildError> {
        self.watch = stall::start(self.handle.shared(), thread_name)?;
        Ok(())
    }

    /// Settings for a pool.
    ///
    /// ```
    /// # fn main() -> Result<(), millpond::BuildError> {
    /// let pool = millpond::Pool::builder().worker_threads(2).thread_name("mill").build()?;
    /// assert_eq!(pool.workers().len(), 2);
    /// # Ok(()) }
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// A pool of the builder's defaults: a worker for each CPU that this process may use.
    ///
    /// # Errors
    /// See [`Builder::build`].
    pub fn new() -> Result<Pool, BuildError> {
        Pool::builder().build()
    }

    /// A handle to submit jobs with, from any thread.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = millpond::Pool::builder().worker_threads(1).build()?;
    /// let handle = pool.handle();
    /// let answer = std::thread::spawn(move || handle.spawn(|| async { 42 }).join());
    /// assert_eq!(answer.join().unwrap()?, 42);
    /// # Ok(()) }
    /// ```
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// What the workers run on.
    ///
    /// ```
    /// use millpond::{Driver, DriverKind};
    ///
    /// # fn main() -> Result<(), millpond::BuildError> {
    /// let pool = millpond::Pool::builder().worker_threads(1).driver(Driver::Park).build()?;
    /// assert_eq!(pool.driver(), DriverKind::Park);
    /// # Ok(()) }
    /// ```
    pub fn driver(&self) -> DriverKind {
        self.driver
    }

    /// Drives a future on the calling thread, with ring, timers and [`spawn`](crate::spawn) at hand. It need not be `Send`
    /// nor `'static`.
    ///
    /// What it starts with [`spawn_local`](crate::spawn_local) runs beside it and is cut off when it ends. Jobs that it
    /// spawns run on the workers, and go on after it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = millpond::Pool::builder().worker_threads(1).build()?;
    /// let name = String::from("mill");
    /// let joined = pool.block_on(async {
    ///     let other = millpond::spawn(|| async { "pond" }).await.unwrap();
    ///     format!("{name}{other}")
    /// });
    /// assert_eq!(joined, "millpond");
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// With the future's own panic. On a thread that runs a loop already: in a job, in another `block_on`, in another
    /// monoio runtime (unless the driver is [`Driver::Park`](crate::Driver::Park)). If the machine gives this thread no runtime like the workers', for want of descriptors or memory.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let (shared, entries) = (self.handle.shared(), self.ring_entries);
        let span = Span::of_block_on(Origin::here(), size_of::<F>());
        let output = on_driver!(self.driver, D => block_on::block_on::<D, F>(shared, entries, span, future));
        output.unwrap_or_else(|error| {
            panic!("block_on: no runtime for this thread: {error}; millpond::doctor() says what is short")
        })
    }

    /// Drains: stops accepting jobs, waits for all that were accepted to end, and joins the threads.
    ///
    /// From the call on nothing new is accepted, from running jobs neither: what they spawn, in whatever way, resolves to
    /// [`is_shutdown`](crate::JoinError::is_shutdown). A job that never ends makes this wait for ever; see
    /// [`shutdown_timeout`](Self::shutdown_timeout).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = millpond::Pool::builder().worker_threads(2).build()?;
    /// for job in 0..10 {
    ///     drop(pool.spawn(move || async move { job * job }));
    /// }
    /// let receipt = futures_lite::future::block_on(pool.shutdown()); // or awaited, on any executor
    /// assert_eq!(receipt.completed, 10);
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    /// Dropped before its end, it drops the pool, which cuts off what is left.
    ///
    /// # Panics
    /// In a job of this same pool, also a [`spawn_blocking`](Handle::spawn_blocking) one, for whose end it would wait. The
    /// pool is then dropped.
    pub async fn shutdown(self) -> Receipt {
        // Ended as `shutdown_until` is.
        self.shutdown_until(None).await
    }

    /// Drains like [`shutdown`](Self::shutdown) for as long as `limit`, and then cuts off: what has started is dropped at
    /// its next await, what has not never starts. A job that computes without an await is waited for; a closure of
    /// [`spawn_blocking`](Handle::spawn_blocking) is not.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = millpond::Pool::builder().worker_threads(1).build()?;
    /// drop(pool.spawn(|| async { std::future::pending::<()>().await }));
    /// let receipt = pool.shutdown_timeout_blocking(Duration::from_millis(5)); // `shutdown_timeout(…).await` on an executor
    /// assert_eq!(receipt.accepted() - receipt.cut_off, 0); // the one job never ends by itself
    /// # Ok(()) }
    /// ```
    ///
    /// # Cancel safety
    /// # Panics
    /// As `shutdown`.
    pub async fn shutdown_timeout(self, limit: Duration) -> Receipt {
        // Ended as `shutdown_until` is. A limit past the end of the clock is none.
        self.shutdown_until(now().checked_add(limit)).await
    }

    /// As [`shutdown`](Self::shutdown), for a plain thread.
    ///
    /// # Panics
    /// As `shutdown`.
    pub fn shutdown_blocking(self) -> Receipt {
        self.refuse_own_jobs();
        self.handle.shared().drain(None);
        self.finish()
    }

    /// As [`shutdown_timeout`](Self::shutdown_timeout), for a plain thread.
    ///
    /// # Panics
    /// As `shutdown`.
    pub fn shutdown_timeout_blocking(self, limit: Duration) -> Receipt {
        self.refuse_own_jobs();
        self.handle.shared().drain(now().checked_add(limit));
        self.finish()
    }

    async fn shutdown_until(self, deadline: Option<Instant>) -> Receipt {
        self.refuse_own_jobs();
        let shared = Arc::clone(self.handle.shared());
        shared.drain(deadline);
        // Woken by the last worker to end (`Exits`). The workers keep the deadline, so no timer is needed here, on whatever executor.
        poll_fn(|cx| shared.exits.poll_all(cx)).await;
        self.finish()
    }

    fn refuse_own_jobs(&self) {
        let own = context::with_handle(|current| current.shared().id == self.handle.shared().id) == Ok(true);
        assert!(
            !own,
            "a pool's shutdown was called in one of its own jobs, and would wait for that job; call it outside"
        );
    }

    /// Joins the threads and adds up the receipt. The pool has been told to end.
    fn finish(mut self) -> Receipt {
        self.join_threads();
        self.handle.shared().close()
    }

    fn join_threads(&mut self) {
        let this_thread = thread::current().id();
        for thread in self.threads.drain(..) {
            // A pool dropped in one of its own jobs: that worker ends when the job has.
            if thread.thread().id() != this_thread {
                // Ended by the worker's loop, which has been told. A loop that panicked has closed itself on the way.
                let _ = thread.join();
            }
        }
        // After the workers, whose last jobs are watched too.
        if let Some(watch) = self.watch.take() {
            watch.end(&self.handle.shared().watch);
        }
    }
}

impl Deref for Pool {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if !self.threads.is_empty() {
            self.handle.shared().cut_off();
            self.join_threads();
            self.handle.shared().close();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("workers", &self.workers().iter().map(WorkerId::to_string).collect::<Vec<_>>())
            .field("driver", &self.driver)
            .field("queued_jobs", &self.queued_jobs())
            .finish_non_exhaustive()
    }
}
