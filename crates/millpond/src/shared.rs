//! What all threads of one pool share.

use crate::{
    Class, Receipt,
    allowance::Allowance,
    backlog::Backlog,
    blocking::Blocking,
    class::ByClass,
    context,
    driver::{DriverKind, Signal},
    hooks::Hooks,
    launch::Plan,
    metrics::{Entered, Loops},
    padded::Padded,
    queue::Queue,
    remote::Remote,
    shutdown::{Exits, Lifecycle, Phase},
    sleep::Sleepers,
    stall::Watch,
    sync::{now, unmodelled},
    task::Task,
    worker_id::WorkerId,
    worker_state::Factory,
};
use slab::Slab;
use std::{
    any::type_name,
    fmt,
    sync::{Arc, atomic::AtomicU32, atomic::Ordering::Relaxed},
    time::Instant,
};

/// One pool, seen from its workers and handles. It outlives the pool as long as a handle does, closed.
pub(crate) struct Shared {
    /// Tells this pool's workers and jobs from another's.
    pub(crate) id: u32,
    /// Jobs for any worker.
    pub(crate) queues: ByClass<Padded<Queue>>,
    /// The workers that would take one.
    pub(crate) sleepers: Padded<Sleepers>,
    /// Each worker's inbox and seat, in the order of the workers.
    pub(crate) workers: Box<[Arc<Remote>]>,
    /// Told to whoever asks for the pool's workers.
    pub(crate) worker_ids: Box<[WorkerId]>,
    pub(crate) blocking: Blocking,
    pub(crate) lifecycle: Lifecycle,
    /// Told of the pool's end: who is no part of it, and has to end with it.
    watchers: unmodelled::Mutex<Slab<Arc<dyn Signal>>>,
    pub(crate) exits: Exits,
    /// Those of `block_on`.
    pub(crate) loops: Loops,
    pub(crate) born: Instant,
    /// What the workers run on.
    pub(crate) driver: DriverKind,
    /// The builder's limit of started tasks on one worker.
    pub(crate) max_tasks_per_worker: usize,
    pub(crate) hooks: Hooks,
    /// How each worker's values are made, in this order.
    pub(crate) states: Box<[Factory]>,
    /// For tasks that hold their workers, and those that were found to.
    pub(crate) watch: Watch,
    /// What the pool was granted, for threads that must not inherit a worker's one CPU. `None` if no worker is bound and
    /// nobody has asked.
    pub(crate) allowance: Option<Allowance>,
}

/// A number for each pool of the process. It wraps after 2^32 pools, long after the first are forgotten.
pub(crate) fn next_pool_id() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Relaxed)
}

/// Someone is told of the pool's end. Dropping it ends that.
pub(crate) struct Watched {
    shared: Arc<Shared>,
    key: usize,
}

impl Shared {
    pub(crate) fn new(id: u32, workers: Box<[Arc<Remote>]>, driver: DriverKind, plan: &Plan) -> Shared {
        let worker_ids = workers.iter().filter_map(|remote| remote.worker()).collect();
        Shared {
            id,
            worker_ids,
            queues: ByClass::new(|| Padded(Queue::new(plan.queue_capacity))),
            sleepers: Padded(Sleepers::new()),
            blocking: Blocking::new(),
            lifecycle: Lifecycle::new(),
            exits: Exits::new(workers.len()),
            watch: Watch::new(workers.len(), plan.stall_threshold),
            workers,
            watchers: unmodelled::Mutex::default(),
            driver,
            loops: Loops::default(),
            born: now(),
            max_tasks_per_worker: plan.max_tasks_per_worker,
            hooks: plan.hooks.clone(),
            states: plan.states.clone().into(),
            allowance: plan.allowance.clone(),
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        self.lifecycle.phase() == Phase::Running
    }

    /// For `what`, whose jobs ask their workers for an `S`.
    #[track_caller]
    pub(crate) fn expect_state<S: 'static>(&self, what: &str) {
        assert!(
            self.states.iter().any(|factory| factory.makes::<S>()),
            "{what}: the workers of this pool keep no {}; give the pool's builder a `worker_state` that makes one",
            type_name::<S>()
        );
    }

    /// Sends a job to whichever worker is free. A pool that ends gives it back.
    pub(crate) fn send(&self, job: Task, class: Class) -> Result<(), Task> {
        context::to_backlog(self.id, job, class)
            .or_else(|job| self.queues[class].push(job, self.has_sleeper()))?;
        self.wake_one();
        Ok(())
    }

    /// Sends a job that was accepted before to another worker.
    pub(crate) fn put_back(&self, job: Task, class: Class) -> Result<(), Task> {
        self.queues[class].put_back(job)?;
        self.wake_one();
        Ok(())
    }

    /// Whether a worker sleeps that would take a job. A hint.
    pub(crate) fn has_sleeper(&self) -> bool {
        !self.sleepers.is_empty()
    }

    /// Wakes one sleeping worker, if there is one. The caller has published a job.
    pub(crate) fn wake_one(&self) {
        let load = |worker: u16| self.workers[usize::from(worker)].load.tasks();
        if let Some(worker) = self.sleepers.take_one(load) {
            self.workers[usize::from(worker)].seat.unpark();
        }
    }

    /// Jobs in the shared queues.
    pub(crate) fn queued(&self) -> usize {
        self.queues.iter().map(|queue| queue.len()).sum()
    }

    /// Whether a job waits that any worker may start.
    pub(crate) fn has_unstarted(&self) -> bool {
        self.queued() > 0 || self.workers.iter().any(|worker| worker.backlog_len() > 0)
    }

    /// Jobs that wait for any worker.
    pub(crate) fn queued_jobs(&self) -> usize {
        self.queued() + self.workers.iter().map(|worker| worker.backlog_len()).sum::<usize>()
    }

    pub(crate) fn wake_all(&self) {
        for worker in &self.workers {
            worker.seat.unpark();
        }
    }

    /// Stops accepting and lets what was accepted run to its end, or to the deadline.
    pub(crate) fn drain(&self, deadline: Option<Instant>) {
        self.stop_accepting();
        self.lifecycle.drain(deadline);
        self.wake_all();
        self.tell_watchers();
    }

    /// Stops accepting and has every worker drop what it holds.
    pub(crate) fn cut_off(&self) {
        self.stop_accepting();
        self.lifecycle.cut_off();
        self.wake_all();
        self.tell_watchers();
    }

    /// Has the pool's end give a signal, for as long as what this returns is kept.
    pub(crate) fn watch(self: &Arc<Shared>, signal: Arc<dyn Signal>) -> Watched {
        let key = unmodelled::lock(&self.watchers).insert(signal);
        Watched { shared: Arc::clone(self), key }
    }

    /// After the phase has changed: that is what they look at.
    fn tell_watchers(&self) {
        unmodelled::lock(&self.watchers).iter().for_each(|(_, signal)| signal.notify());
    }

    /// Closes each way in. A job is accepted if and only if it got in before, so after this none can come late.
    fn stop_accepting(&self) {
        self.queues.iter().for_each(|queue| queue.close());
        self.blocking.close();
        for worker in &self.workers {
            worker.inbox.close_to_jobs();
            worker.backlogs.iter().for_each(Backlog::close);
        }
    }

    /// Has the jobs of another loop than a worker's counted, for as long as what this returns is kept, and thereafter as they
    /// ended.
    pub(crate) fn enter_loop(self: &Arc<Shared>, remote: Arc<Remote>) -> Entered {
        Entered::new(Arc::clone(self), remote)
    }

    /// The receipt of the whole pool, once its workers have ended. What is left in a queue has no worker any more, because
    /// the start of the pool failed.
    pub(crate) fn close(&self) -> Receipt {
        let mut unstarted = Receipt::default();
        while let Some(job) = self.queues.iter().find_map(|queue| queue.pop()) {
            unstarted.count_unstarted(job.never_start());
        }
        let mut ended = self.loops.receipt();
        self.workers.iter().for_each(|worker| ended += worker.counters.receipt());
        ended += unstarted;
        ended += self.blocking.cut_off();
        ended
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        unmodelled::lock(&self.shared.watchers).remove(self.key);
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("pool", &self.shared.id).finish_non_exhaustive()
    }
}
