//! The settings of a pool, and its start: all workers, or none.

use crate::{
    BuildError, Pool,
    allowance::Allowance,
    driver::kind::Driver,
    hooks::Hooks,
    launch::{Plan, launch},
    limits,
    worker_id::WorkerId,
};
use std::{error::Error, sync::Arc};

/// Jobs that may wait in the shared queue when the builder is not told. A queued job of little state takes about 150
/// bytes, so a full queue takes 10 MB; at a million jobs a second it is 65 ms of work.
const DEFAULT_QUEUE_CAPACITY_JOBS: usize = 65_536;
/// The kernel's `IORING_MAX_ENTRIES`.
const MAX_RING_ENTRIES: u32 = 32_768;
/// Worker numbers fit 16 bits. The largest machines that Linux is built for have 8,192 CPUs.
const MAX_WORKERS: usize = u16::MAX as usize;

/// Which CPUs the workers are bound to.
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
    ///
    /// The count is exact at every instant, of the shared queue. A worker under load takes its share of that at once, up to
    /// 32 jobs; those it has not started any idle worker may take from it, but they no longer count.
    pub fn queue_capacity(mut self, jobs: usize) -> Builder {
        self.queue_capacity = jobs;
        self
    }

    /// How many started jobs a worker may have before it takes no more. By default there is no limit.
    ///
    /// It bounds what jobs hold while they wait: files, buffers, connections. Tasks of
    /// [`spawn_local`](crate::spawn_local) count, and are not held back.
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
