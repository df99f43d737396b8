//! Submitting jobs, from any thread.

use crate::{
    Broadcast, JobOptions, JoinHandle, NoPoolError, SpawnOnError, Stall, SubmitError, TrySpawnError,
    blocking, context, free,
    metrics::{self, Metrics},
    park,
    queue::{Queue, Refused},
    shared::Shared,
    task::{Origin, RawJoin, Task},
    trace::Span,
    worker_id::WorkerId,
};
use std::{
    fmt,
    future::Future,
    hash::{DefaultHasher, Hash, Hasher},
    panic::Location,
    pin::pin,
    rc::Rc,
    sync::Arc,
};

/// Submits jobs to a pool, from any thread.
///
/// A cheap clone. Dropping it does nothing to the pool, and holding it does not keep the pool: once the pool has shut
/// down, jobs are refused, or resolve to [`is_shutdown`](crate::JoinError::is_shutdown).
///
/// A job is a closure that is `Send` and makes a future that need not be. Exactly one worker calls the closure, and polls
/// and drops the future, all on its one thread.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let handle = pool.handle();
/// let theirs = std::thread::spawn(move || handle.spawn(|| async { "from another thread" }).join());
/// assert_eq!(theirs.join().unwrap()?, "from another thread");
/// # Ok(()) }
/// ```
///
/// In a job it is at hand:
///
/// ```
/// use millpond::Handle;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let job = pool.spawn(|| async {
///     let pool = Handle::current();
///     println!("{} workers, {} jobs wait", pool.workers().len(), pool.queued_jobs());
///     pool.spawn(|| async { 42 }).await
/// });
/// assert_eq!(job.join()??, 42);
/// assert!(Handle::try_current().is_err(), "this thread is no pool's");
/// # Ok(()) }
/// ```
///
/// A sender that is not to run ahead of the workers waits for room:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).queue_capacity(16).build()?;
/// let mut jobs = Vec::new();
/// for number in 0..100_u64 {
///     jobs.push(pool.submit_blocking(move || async move { number * number })?); // on a plain thread
/// }
/// pool.block_on(async {
///     jobs.push(pool.submit(|| async { 0 }).await?); // in async code, on any executor
///     Ok::<(), Box<dyn std::error::Error>>(())
/// })?;
/// let sum: u64 = jobs.into_iter().map(|job| job.join()).sum::<Result<_, _>>()?;
/// assert_eq!(sum, 328_350);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
    /// Of all jobs that are submitted by it.
    options: JobOptions,
    /// Stands for the place of each call, where the calls are the library's own.
    location: Option<&'static Location<'static>>,
}

impl Handle {
    pub(crate) fn new(shared: Arc<Shared>) -> Handle {
        Handle { shared, options: JobOptions::new(), location: None }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The pool of the present thread: inside a job, a [`spawn_blocking`](Self::spawn_blocking) closure,
    /// [`Pool::block_on`](crate::Pool::block_on) or the body of `#[millpond::main]`.
    ///
    /// # Panics
    /// Outside a pool.
    pub fn current() -> Handle {
        match Handle::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("Handle::current: {error}"),
        }
    }

    /// As [`current`](Self::current), without the panic.
    ///
    /// # Errors
    /// Outside a pool.
    pub fn try_current() -> Result<Handle, NoPoolError> {
        context::with_handle(Handle::clone)
    }

    /// A handle to the same pool whose jobs all have these options, whatever this one's were.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(1).build()?;
    /// let reports = pool.with_options(millpond::JobOptions::new().name("report"));
    /// assert_eq!(reports.spawn(|| async { 42 }).join()?, 42);
    /// # Ok(()) }
    /// ```
    pub fn with_options(&self, options: JobOptions) -> Handle {
        Handle { options, ..self.clone() }
    }

    /// A handle whose jobs all come from where this is called.
    #[track_caller]
    pub(crate) fn located(&self) -> Handle {
        Handle { location: Some(self.origin().location()), ..self.clone() }
    }

    /// The pool's workers, in order.
    pub fn workers(&self) -> &[WorkerId] {
        &self.shared.worker_ids
    }

    /// Sends a job; one of the workers that has time for it runs it.
    ///
    /// Never waits, and is not held back by the queue's capacity. Once a shutdown has begun, the handle resolves to
    /// [`is_shutdown`](crate::JoinError::is_shutdown) at once.
    ///
    /// A job has its place for closure, future and result from the start: one that waits takes the memory of the largest of
    /// the three. Box what is large in the future if many jobs are to wait.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(1).build()?;
    /// let length = pool.spawn(|| async {
    ///     let file = monoio::fs::File::open("/proc/self/stat").await?;
    ///     let (read, _buffer) = file.read_at(vec![0; 4096], 0).await;
    ///     read
    /// });
    /// assert!(length.join()?? > 0);
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn spawn<F, Fut, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        self.spawn_from(self.origin(), f)
    }

    /// As [`spawn`](Self::spawn), for a job that uses its worker's value of the type `S`, made by
    /// [`Builder::worker_state`](crate::Builder::worker_state). The `Rc` may be kept over awaits, and by tasks of
    /// [`spawn_local`](crate::spawn_local); a `RefCell`'s borrow should not, since other jobs of the worker run meanwhile.
    ///
    /// For jobs that are sent in another way, [`worker_state`](crate::worker_state()) gives the same inside them.
    ///
    /// ```
    /// use std::{cell::Cell, rc::Rc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let builder = millpond::Pool::builder().worker_threads(1);
    /// let pool = builder.worker_state(|_| async { Ok(Cell::new(0_u32)) }).build()?;
    /// let count = |state: Rc<Cell<u32>>| async move { state.replace(state.get() + 1) };
    /// assert_eq!((pool.spawn_with(count).join()?, pool.spawn_with(count).join()?), (0, 1));
    /// # Ok(()) }
    /// ```
    ///
    /// # Panics
    /// If the workers of this pool keep no `S`.
    #[track_caller]
    pub fn spawn_with<S, F, Fut, T>(&self, f: F) -> JoinHandle<T>
    where
        S: 'static,
        F: FnOnce(Rc<S>) -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        self.spawn_with_from(self.origin(), "Handle::spawn_with", f)
    }

    #[track_caller]
    pub(crate) fn spawn_with_from<S, F, Fut, T>(&self, origin: Origin, what: &str, f: F) -> JoinHandle<T>
    where
        S: 'static,
        F: FnOnce(Rc<S>) -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        self.shared.expect_state::<S>(what);
        self.spawn_from(origin, || f(free::worker_state()))
    }

    /// Sends a job if the shared queue has room for it.
    ///
    /// # Errors
    /// The closure comes back: the queue is full, or the pool has shut down.
    ///
    /// ```
    /// use millpond::TrySpawnError;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(1).build()?;
    /// match pool.try_spawn(|| async { 42 }) {
    ///     Ok(job) => assert_eq!(job.join()?, 42),
    ///     Err(TrySpawnError::Full(_closure)) => println!("later, then"),
    ///     Err(TrySpawnError::Closed(_closure)) => println!("the pool has gone"),
    /// }
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn try_spawn<F, Fut, T>(&self, f: F) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        self.try_spawn_from(self.origin(), f)
    }

    fn try_spawn_from<F, Fut, T>(&self, origin: Origin, f: F) -> Result<JoinHandle<T>, TrySpawnError<F>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let pushed = self.looked_for_room(f).and_then(|f| {
            let span = Span::of_job(origin, size_of::<Fut>());
            self.queue().try_push_with(f, self.shared.has_sleeper(), |f| self.job(origin, span, f))
        });
        match pushed {
            Ok(join) => Ok(self.sent(join)),
            Err(Refused::Full(f)) => Err(TrySpawnError::Full(f)),
            Err(Refused::Closed(f)) => Err(TrySpawnError::Closed(f)),
        }
    }

    /// A span is made before the push that may refuse the job. So where there are spans this looks before: few that were
    /// refused have one.
    fn looked_for_room<F>(&self, f: F) -> Result<F, Refused<F>> {
        if Span::may_be_wanted() { self.queue().look_for_room(f) } else { Ok(f) }
    }

    /// Sends a job once the shared queue has room for it. Those who wait are served in the order in which they began to.
    ///
    /// It bounds the jobs that wait, not those that run, nor results whose handles you keep.
    ///
    /// # Errors
    /// The closure comes back if the pool has shut down, or does so while this waits.
    ///
    /// # Cancel safety
    /// Dropped before its end, it has sent nothing, has lost its turn, and the closure is dropped with it.
    #[track_caller]
    pub fn submit<F, Fut, T>(&self, f: F) -> impl Future<Output = Result<JoinHandle<T>, SubmitError<F>>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        // Not an `async fn`, whose body has no caller.
        self.submit_from(self.origin(), f)
    }

    async fn submit_from<F, Fut, T>(&self, origin: Origin, f: F) -> Result<JoinHandle<T>, SubmitError<F>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        // Woken when its turn has come, or when the queue closes; see `Room`.
        let Ok(place) = self.queue().room().await else { return Err(SubmitError::Closed(f)) };
        let span = Span::of_job(origin, size_of::<Fut>());
        match place.push_with(f, self.shared.has_sleeper(), |f| self.job(origin, span, f)) {
            Ok(join) => Ok(self.sent(join)),
            Err(f) => Err(SubmitError::Closed(f)),
        }
    }

    /// As [`submit`](Self::submit), for a plain thread, which it blocks while the queue is full.
    ///
    /// # Errors
    /// As `submit`'s; and on a worker of the same pool, where a full queue would have it wait for itself,
    /// [`WouldDeadlock`](SubmitError::WouldDeadlock).
    #[track_caller]
    pub fn submit_blocking<F, Fut, T>(&self, f: F) -> Result<JoinHandle<T>, SubmitError<F>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let origin = self.origin();
        if context::on_worker_of(self.shared.id) {
            return self.try_spawn_from(origin, f).map_err(|refused| match refused {
                TrySpawnError::Full(f) => SubmitError::WouldDeadlock(f),
                TrySpawnError::Closed(f) => SubmitError::Closed(f),
            });
        }
        // Ended as `submit` is; without a deadline there is always an output.
        park::block_on_until(pin!(self.submit_from(origin, f)), None).expect("a wait without a deadline")
    }

    /// Sends a job to one worker. No other will run it, however busy that one is.
    ///
    /// # Errors
    /// The closure comes back if the worker is another pool's.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(2).build()?;
    /// let last = *pool.workers().last().unwrap();
    /// let job = pool.spawn_on(last, || async { millpond::worker_id() })?;
    /// assert_eq!(job.join()?, last);
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn spawn_on<F, Fut, T>(&self, worker: WorkerId, f: F) -> Result<JoinHandle<T>, SpawnOnError<F>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        self.spawn_on_from(self.origin(), worker, f)
    }

    pub(crate) fn spawn_on_from<F, Fut, T>(
        &self,
        origin: Origin,
        worker: WorkerId,
        f: F,
    ) -> Result<JoinHandle<T>, SpawnOnError<F>>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        if worker.pool != self.shared.id {
            let (pool, workers) = (self.shared.id, self.shared.workers.len());
            return Err(SpawnOnError { closure: f, worker, workers, pool });
        }
        Ok(self.send_to(origin, worker.index(), f))
    }

    /// Sends a job to the worker that the key falls to: the same key, the same worker, for the life of the pool. Jobs of
    /// one key start in the order in which they were sent.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(2).build()?;
    /// let first = pool.spawn_by_key("user 7", || async { millpond::worker_id() });
    /// let second = pool.spawn_by_key("user 7", || async { millpond::worker_id() });
    /// assert_eq!(first.join()?, second.join()?);
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn spawn_by_key<K, F, Fut, T>(&self, key: &K, f: F) -> JoinHandle<T>
    where
        K: Hash + ?Sized,
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let workers = self.shared.workers.len() as u64;
        // Below the number of workers, which fits.
        self.send_to(self.origin(), (hasher.finish() % workers) as usize, f)
    }

    /// Runs `f` once on every worker, and awaits to the results in the order of the workers.
    ///
    /// It is no barrier: jobs of the shared queue that were sent before it may run after it. To gather what jobs have left in
    /// [`worker_state`](crate::worker_state()), await their handles first: what has ended on a worker, its broadcast sees.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(3).build()?;
    /// let squares = pool.broadcast(|worker| async move { worker.index().pow(2) }).join();
    /// assert_eq!(squares.into_iter().collect::<Result<Vec<_>, _>>()?, [0, 1, 4]);
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn broadcast<F, Fut, T>(&self, f: F) -> Broadcast<T>
    where
        F: Fn(WorkerId) -> Fut + Send + Clone + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        self.broadcast_from(self.origin(), f)
    }

    pub(crate) fn broadcast_from<F, Fut, T>(&self, origin: Origin, f: F) -> Broadcast<T>
    where
        F: Fn(WorkerId) -> Fut + Send + Clone + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let job = |worker: WorkerId| {
            let f = f.clone();
            self.send_to(origin, worker.index(), move || f(worker))
        };
        Broadcast::new(self.workers().iter().copied().map(job))
    }

    /// Runs a closure that blocks or computes for long, off the workers, on a thread of the process's own set for such
    /// closures (500 at most, or as many as `BLOCKING_MAX_THREADS` in the environment says).
    ///
    /// It is a job of the pool: its panic is caught, a drain waits for it, and it stands in the receipt. One that runs
    /// cannot be aborted or cut off; a cut-off answers its handle and leaves it to end by itself. Where the system gives the
    /// process no thread at all, closures wait until it does.
    ///
    /// For what blocks, and for computing of a millisecond or more beside jobs that have I/O. Of less, the hand-over is a good
    /// part: some 100 µs are better computed in the job itself, in the [class](crate::Class) bulk if there are many. Work that
    /// can be divided goes to rayon's threads, by a parallel iterator in here, or into jobs of a millisecond each.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(1).build()?;
    /// let home = pool.spawn_blocking(|| std::fs::read_dir("/").map(Iterator::count));
    /// assert!(home.join()?? > 0);
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn spawn_blocking<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_blocking_from(self.origin(), f)
    }

    pub(crate) fn spawn_blocking_from<F, T>(&self, origin: Origin, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        blocking::spawn(&self.shared, origin, self.options.deadline, f)
    }

    /// How many jobs wait that any worker may start: in the shared queue, or taken from it in a batch and not started. What
    /// this says may have changed by the time it is read.
    pub fn queued_jobs(&self) -> usize {
        self.shared.queued_jobs()
    }

    /// What the pool has done and does now. See [`metrics`].
    ///
    /// From any thread, also once the pool has ended. It takes some microseconds for each worker, and holds none of them up.
    pub fn metrics(&self) -> Metrics {
        metrics::snapshot(&self.shared)
    }

    /// The newest 32 tasks that held a worker for longer than the
    /// [threshold](crate::Builder::stall_threshold), oldest first. From any thread, also once the pool has ended.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = millpond::Pool::builder().worker_threads(1).build()?;
    /// for stall in pool.stalls() {
    ///     eprintln!("{stall}"); // worker 0 is held for 10 ms or more by hash, spawned at src/main.rs:8:19
    /// }
    /// # Ok(()) }
    /// ```
    pub fn stalls(&self) -> Vec<Stall> {
        self.shared.watch.newest()
    }

    /// That of its jobs' class.
    fn queue(&self) -> &Queue {
        &self.shared.queues[self.options.class]
    }

    /// What a job is reported as that is submitted where this is called.
    #[inline]
    #[track_caller]
    pub(crate) fn origin(&self) -> Origin {
        // Not `unwrap_or_else(Location::caller)`: its caller is `unwrap_or_else`.
        let here = Location::caller();
        Origin::new(self.location.unwrap_or(here), self.options.name)
    }

    pub(crate) fn spawn_from<F, Fut, T>(&self, origin: Origin, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let (job, join) = self.job(origin, Span::of_job(origin, size_of::<Fut>()), f);
        if let Err(job) = self.shared.send(job, self.options.class) {
            job.never_start();
        }
        JoinHandle::new(join)
    }

    /// The caller makes the span, before it takes a lock.
    pub(crate) fn job<F, Fut, T>(&self, origin: Origin, span: Span, f: F) -> (Task, RawJoin<T>)
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let (job, join) = Task::queued(self.shared.id, origin, span, f);
        if let Some(deadline) = self.options.deadline {
            job.note_waiting(|waiting| waiting.deadline = Some(deadline));
        }
        (job, join)
    }

    /// A job is in the queue: sees to it that someone takes it.
    fn sent<T>(&self, join: RawJoin<T>) -> JoinHandle<T> {
        self.shared.wake_one();
        JoinHandle::new(join)
    }

    pub(crate) fn send_to<F, Fut, T>(&self, origin: Origin, worker: usize, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let (job, join) = self.job(origin, Span::of_job(origin, size_of::<Fut>()), f);
        if let Err(job) = self.shared.workers[worker].send_job(job) {
            job.never_start();
        }
        JoinHandle::new(join)
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("pool", &self.shared.id)
            .field("workers", &self.shared.workers.len())
            .field("queued_jobs", &self.queued_jobs())
            .finish_non_exhaustive()
    }
}
