//! The settings of a pool, and its start: all workers, or none.

use crate::{
    BuildError, Pool, Stall,
    allowance::Allowance,
    driver::kind::Driver,
    hooks::Hooks,
    launch::{Plan, launch},
    limits,
    task::Origin,
    worker_id::WorkerId,
    worker_state::Factory,
};
use std::{error::Error, future::Future, sync::Arc, time::Duration};

/// Jobs that may wait in the shared queue when the builder is not told. A queued job of little state takes about 150
/// bytes, so a full queue takes 10 MB; at a million jobs a second it is 65 ms of work.
const DEFAULT_QUEUE_CAPACITY_JOBS: usize = 65_536;
/// A task that holds its worker for so long is a stall, when the builder is not told. Much longer than polls should take,
/// which is some 100 us, and as much as a request may well take in all.
const DEFAULT_STALL_THRESHOLD_MS: u64 = 10;
/// A look at each worker every quarter of this costs a wake of a thread, some 5 us: two parts in a hundred of a CPU.
const LEAST_STALL_THRESHOLD: Duration = Duration::from_millis(1);
/// The kernel's `IORING_MAX_ENTRIES`.
const MAX_RING_ENTRIES: u32 = 32_768;
/// Worker numbers fit 16 bits. The largest machines that Linux is built for have 8,192 CPUs.
const MAX_WORKERS: usize = u16::MAX as usize;

/// Which CPUs the workers are bound to.
///
/// ```
/// use millpond::{Pin, Pool};
///
/// # fn main() -> Result<(), millpond::BuildError> {
/// // Two workers that the kernel may move, as for a pool beside others in a test.
/// let pool = Pool::builder().worker_threads(2).pin(Pin::None).build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pin {
    /// Each worker to a CPU of its own, among those that the affinity mask allows.
    ///
    /// Workers beyond their number stay unpinned; so do all of them in a cgroup whose quota grants less CPU time than the
    /// mask has CPUs: every container of a host would bind its few workers to the same first CPUs.
    #[default]
    Cores,
    /// No worker is bound: the kernel moves them.
    None,
    /// The workers in turn to these CPUs, from the first again when there are more workers than CPUs.
    To(Vec<usize>),
}

/// Settings of a pool. Dropping it does nothing.
///
/// ```
/// use millpond::{Pin, Pool};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = Pool::builder().worker_threads(2).pin(Pin::None).thread_name("mill").build()?;
/// assert_eq!(pool.workers().len(), 2);
/// # Ok(()) }
/// ```
///
/// With limits, so that a burst of jobs is felt by those who send it, and hooks:
///
/// ```
/// use millpond::{Driver, Pool};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = Pool::builder()
///     .worker_threads(1)
///     .driver(Driver::Auto) // io_uring, or epoll where it is refused
///     .ring_entries(256)
///     .queue_capacity(10_000) // `try_spawn` says no beyond, and `submit` waits
///     .max_tasks_per_worker(1_000) // so many files and buffers are in use at once
///     .on_worker_start(|worker| Ok(println!("{worker} is up")))
///     .on_worker_stop(|worker| println!("{worker} has done its last job"))
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    worker_threads: Option<usize>,
    pin: Pin,
    thread_name: String,
    queue_capacity: usize,
    max_tasks_per_worker: usize,
    driver: Driver,
    ring_entries: u32,
    hooks: Hooks,
    states: Vec<Factory>,
    stall_threshold: Duration,
}

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder {
            worker_threads: None,
            pin: Pin::default(),
            thread_name: "millpond".to_owned(),
            queue_capacity: DEFAULT_QUEUE_CAPACITY_JOBS,
            max_tasks_per_worker: usize::MAX,
            driver: Driver::default(),
            ring_entries: limits::DEFAULT_RING_ENTRIES,
            hooks: Hooks::default(),
            states: Vec::new(),
            stall_threshold: Duration::from_millis(DEFAULT_STALL_THRESHOLD_MS),
        }
    }

    /// How many workers, each a thread. By default as many as CPUs that this process may use, by its affinity mask and by
    /// its cgroup's quota.
    pub fn worker_threads(mut self, count: usize) -> Builder {
        self.worker_threads = Some(count);
        self
    }

    /// Which CPUs the workers are bound to. By default [`Pin::Cores`].
    pub fn pin(mut self, pin: Pin) -> Builder {
        self.pin = pin;
        self
    }

    /// The name of the workers' threads, to which `-` and the worker's number are added. By default `millpond`. Linux
    /// shows the first 15 bytes.
    pub fn thread_name(mut self, name: impl Into<String>) -> Builder {
        self.thread_name = name.into();
        self
    }

    /// How many jobs may wait in the shared queue before [`try_spawn`](crate::Handle::try_spawn) refuses and
    /// [`submit`](crate::Handle::submit) waits. [`spawn`](crate::Handle::spawn) is not held back by it. By default 65,536.
    /// Each [class](crate::Class) of jobs has a queue of this capacity.
    ///
    /// The count is exact at every instant, of the shared queue. A worker under load takes its share of that at once, up to
    /// 32 jobs; those it has not started any idle worker may take from it, but they no longer count.
    pub fn queue_capacity(mut self, jobs: usize) -> Builder {
        self.queue_capacity = jobs;
        self
    }

    /// How many started jobs a worker may have before it takes no more. By default there is no limit.
    ///
    /// It bounds what jobs hold while they wait: files, buffers, connections. Jobs for one worker are held back too: a
    /// [`broadcast`](crate::Handle::broadcast) reaches a worker that is full when one of its tasks has ended. Tasks of
    /// [`spawn_local`](crate::spawn_local) count, and are not held back. Jobs of all [classes](crate::Class) count together:
    /// bulk jobs that wait for long may fill it, and an interactive one then starts when one of them ends.
    pub fn max_tasks_per_worker(mut self, tasks: usize) -> Builder {
        self.max_tasks_per_worker = tasks;
        self
    }

    /// The runtime underneath the workers. By default [`Driver::Auto`].
    pub fn driver(mut self, driver: Driver) -> Builder {
        self.driver = driver;
        self
    }

    /// The entries of each worker's submission queue, from 1 to 32,768; monoio uses at least 256. By default 1,024. A full
    /// queue is submitted at once, so a small one costs system calls, not operations.
    pub fn ring_entries(mut self, entries: u32) -> Builder {
        self.ring_entries = entries;
        self
    }

    /// Runs on each worker's thread before it takes jobs, inside its runtime. An error or a panic ends the start of the
    /// pool and is the reason in its [`BuildError`].
    pub fn on_worker_start<H>(mut self, hook: H) -> Builder
    where
        H: Fn(WorkerId) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    {
        self.hooks.on_start = Some(Arc::new(hook));
        self
    }

    /// Runs on each worker's thread once its last job has ended, if its start hook had succeeded. A panic in it is caught
    /// and changes nothing.
    pub fn on_worker_stop<H>(mut self, hook: H) -> Builder
    where
        H: Fn(WorkerId) + Send + Sync + 'static,
    {
        self.hooks.on_stop = Some(Arc::new(hook));
        self
    }

    /// Has each worker make a value of the type `S` for its jobs: an index, a pool of connections, a cache. Jobs get it as an
    /// `Rc`, by [`spawn_with`](crate::Handle::spawn_with) or [`worker_state`](crate::worker_state()). It need not be `Send`.
    ///
    /// The factory's future gives a `Result`: what cannot fail is wrapped in `Ok`, as below. It runs on the worker's thread,
    /// inside its runtime, after the start hook and before the first job. It may open files and connect sockets; it must not
    /// wait for jobs of the pool, which has no workers yet to run them. Given for several types, factories run in their order,
    /// and later ones find the earlier values by [`worker_state`](crate::worker_state()). An error or a panic ends the start of
    /// the pool and is the reason in its [`BuildError`].
    ///
    /// A task that the factory leaves behind, by [`spawn_local`](crate::spawn_local), is a task of the worker like any: it counts
    /// for [`max_tasks_per_worker`](Builder::max_tasks_per_worker), and a [`shutdown`](crate::Pool::shutdown) waits for its end
    /// before the value is dropped. One that ends only with the value, as that of a connection may, needs another sign to end
    /// by, or a shutdown with a limit of time.
    ///
    /// The value is dropped on its worker, inside its runtime, once the last job there has ended and the stop hook has run;
    /// the last made first. A panic in its drop is caught and changes nothing.
    ///
    /// ```
    /// use std::{cell::RefCell, collections::HashMap, rc::Rc};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// type Seen = RefCell<HashMap<String, u64>>;
    /// let pool = millpond::Pool::builder()
    ///     .worker_threads(2)
    ///     .worker_state(|_worker| async { Ok(Seen::default()) })
    ///     .build()?;
    /// let jobs = ["a", "b", "a"].map(|word| {
    ///     pool.spawn_with(move |seen: Rc<Seen>| async move { *seen.borrow_mut().entry(word.to_owned()).or_default() += 1 })
    /// });
    /// jobs.into_iter().try_for_each(|job| job.join())?;
    /// let counts = pool.broadcast(|_| async { millpond::worker_state::<Seen>().borrow().values().sum::<u64>() }).join();
    /// assert_eq!(counts.into_iter().sum::<Result<u64, _>>()?, 3);
    /// # Ok(()) }
    /// ```
    #[track_caller]
    pub fn worker_state<S, F, Fut>(mut self, factory: F) -> Builder
    where
        S: 'static,
        F: Fn(WorkerId) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, Box<dyn Error + Send + Sync>>> + 'static,
    {
        self.states.push(Factory::new(Origin::here(), factory));
        self
    }

    /// For how long a task may hold its worker, in one poll, before that is a [`Stall`]. By default 10 ms, and
    /// at least 1 ms. With `Duration::MAX` nobody looks, and no thread is started for it.
    ///
    /// A thread of the pool, named as the workers' with `-watch` in place of the number, looks at each worker every quarter of
    /// the threshold while any has something to do, and sleeps for good when none has. So a stall is noticed when it has
    /// lasted for between 1.25 and 1.5 times the threshold, while it lasts. A task that comes to an await before is none,
    /// nor is one that waits at an await, nor one whose worker did not get the CPU.
    ///
    /// That last is told by `/proc/self/task/*/schedstat` and `stat`, which are read on suspicion only; where they cannot be
    /// read, time without the CPU counts as held. To within a tick of the kernel's clock, 1 to 10 ms, for a worker that
    /// computes. What a hypervisor takes away nobody can tell.
    ///
    /// The body of `main`, what else runs in a [`block_on`](Pool::block_on), and closures of
    /// [`spawn_blocking`](crate::Handle::spawn_blocking) hold no worker.
    pub fn stall_threshold(mut self, threshold: Duration) -> Builder {
        self.stall_threshold = threshold;
        self
    }

    /// Is told of each [`Stall`], once and while it lasts.
    ///
    /// It runs on the thread that watches, which looks at no worker until it returns, and inside the pool:
    /// [`Handle::current`](crate::Handle::current) and [`spawn`](crate::spawn) work, a shutdown of the pool panics. A panic in
    /// it is caught and changes nothing. The drop of the pool waits for it, unless it is what drops the pool.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = millpond::Pool::builder()
    ///     .worker_threads(1)
    ///     // worker 0 is held for 10 ms or more by hash, spawned at src/main.rs:8:19
    ///     .on_stall(|stall| eprintln!("{stall}"))
    ///     .build()?;
    /// let hashing = pool.with_options(millpond::JobOptions::new().name("hash"));
    /// let job = hashing.spawn(|| async {
    ///     // Blocks the worker: nothing else runs on it meanwhile.
    ///     std::thread::sleep(std::time::Duration::from_millis(50));
    /// });
    /// job.join()?;
    /// # Ok(()) }
    /// ```
    pub fn on_stall<H>(mut self, hook: H) -> Builder
    where
        H: Fn(&Stall) + Send + Sync + 'static,
    {
        self.hooks.on_stall = Some(Arc::new(hook));
        self
    }

    /// Starts the pool. It returns once every worker is up, or with the first reason why one is not; then nothing is left
    /// running.
    ///
    /// # Errors
    /// A setting that cannot be, a machine that refuses what is asked, or a start hook that failed: the error names the
    /// setting, its value and the way out.
    pub fn build(self) -> Result<Pool, BuildError> {
        let driver = self.driver;
        let plan = self.plan()?;
        driver.start(plan.ring_entries, |kind| launch(&plan, kind))
    }

    /// Whether anything here depends on what the machine grants. A pool of which nothing does is made with `std` alone.
    fn asks_the_machine(&self) -> bool {
        self.driver.has_io() || self.pin != Pin::None || self.worker_threads.is_none()
    }

    /// Checks each setting against what can be, before anything starts.
    fn plan(self) -> Result<Plan, BuildError> {
        let allowance = self.asks_the_machine().then(Allowance::of_this_thread);
        let granted = || allowance.as_ref().map_or(1, |allowance| allowance.workers);
        let workers = self.worker_threads.unwrap_or_else(granted);
        check_worker_threads(workers, allowance.is_some())?;
        if self.queue_capacity == 0 {
            return Err(BuildError::no_capacity());
        }
        if self.max_tasks_per_worker == 0 {
            return Err(BuildError::no_tasks());
        }
        if !(1..=MAX_RING_ENTRIES).contains(&self.ring_entries) {
            return Err(BuildError::ring_entries(self.ring_entries, MAX_RING_ENTRIES));
        }
        if self.stall_threshold < LEAST_STALL_THRESHOLD {
            return Err(BuildError::stall_threshold(self.stall_threshold, LEAST_STALL_THRESHOLD));
        }
        let is_twice = |(index, factory): &(usize, &Factory)| {
            self.states[..*index].iter().any(|before| before.makes_the_same_as(factory))
        };
        if let Some((_, factory)) = self.states.iter().enumerate().find(is_twice) {
            return Err(BuildError::state_twice(factory));
        }
        if self.thread_name.contains('\0') {
            return Err(BuildError::thread_name(&self.thread_name));
        }
        Ok(Plan {
            pins: pins(self.pin, workers, allowance.as_ref())?,
            allowance,
            thread_name: self.thread_name,
            queue_capacity: self.queue_capacity,
            max_tasks_per_worker: self.max_tasks_per_worker,
            ring_entries: self.ring_entries,
            hooks: self.hooks,
            states: self.states,
            stall_threshold: (self.stall_threshold < Duration::MAX).then_some(self.stall_threshold),
        })
    }
}

/// With `ask_the_machine` the present limit on threads counts too, before any is started.
fn check_worker_threads(workers: usize, ask_the_machine: bool) -> Result<(), BuildError> {
    if workers == 0 {
        return Err(BuildError::no_workers());
    }
    let limit = ask_the_machine.then(limits::threads_allowed);
    if let Some(limit) = limit.filter(|limit| workers as u64 > limit.count) {
        return Err(BuildError::too_many_workers(workers, limit.count, &limit.set_by.to_string()));
    }
    if workers > MAX_WORKERS {
        return Err(BuildError::too_many_workers(
            workers,
            MAX_WORKERS as u64,
            "the size of a worker's number",
        ));
    }
    Ok(())
}

/// The CPUs of each worker; `None` for one that stays unpinned.
fn pins(
    pin: Pin,
    workers: usize,
    allowance: Option<&Allowance>,
) -> Result<Vec<Option<Vec<usize>>>, BuildError> {
    let Some(allowance) = allowance else { return Ok(vec![None; workers]) };
    let allowed = &allowance.cpus;
    let cpus = match pin {
        Pin::None => return Ok(vec![None; workers]),
        Pin::Cores if allowance.is_quota_limited() => return Ok(vec![None; workers]),
        Pin::Cores => {
            return Ok((0..workers).map(|worker| allowed.get(worker).map(|&cpu| vec![cpu])).collect());
        }
        Pin::To(cpus) => cpus,
    };
    if cpus.is_empty() {
        return Err(BuildError::no_cpus());
    }
    if let Some(&cpu) = cpus.iter().find(|cpu| !allowed.contains(cpu)) {
        return Err(BuildError::cpu(cpu, allowed));
    }
    Ok(cpus.iter().cycle().take(workers).map(|&cpu| Some(vec![cpu])).collect())
}
