//! A worker: its thread, what it runs next, and how it ends.

use crate::{
    BuildError, Class,
    balance::Balance,
    context, cpus,
    driver::{self, Driver, DriverKind, Port, Signal},
    event_loop::{self, Role, Step},
    local::{CloseOnDrop, Local},
    picker::{self, Picker},
    shared::Shared,
    shutdown::{ExitGuard, Phase},
    sync::{mpsc, now},
    worker_id::WorkerId,
    worker_state,
};
use std::{rc::Rc, sync::Arc, time::Instant};

/// All that a worker's thread starts from.
pub(crate) struct Start<S> {
    pub(crate) id: WorkerId,
    pub(crate) shared: Arc<Shared>,
    /// The same as in the worker's seat, for the driver to wait on.
    pub(crate) signal: Arc<S>,
    pub(crate) driver: DriverKind,
    pub(crate) ring_entries: u32,
    /// The CPUs to run on; `None` leaves the thread where the kernel puts it.
    pub(crate) pin: Option<Vec<usize>>,
    /// Tells the builder, once, that the worker is up or why it is not.
    pub(crate) report: mpsc::Sender<Result<(), BuildError>>,
}

/// Tells the builder if the thread dies of a panic: the other workers' threads keep their senders, so the channel would not end.
struct TellOfPanic(mpsc::Sender<Result<(), BuildError>>);

/// The whole life of a worker's thread.
pub(crate) fn run<D: Driver>(start: Start<D::Signal>) {
    let shared = Arc::clone(&start.shared);
    // First in, last out: the pool takes the thread for ended when all below has been dropped.
    let _exit = ExitGuard(&shared.exits);
    let _on_watch = shared.watch.enter(start.id.index());
    let (report, signal) = (TellOfPanic(start.report.clone()), Arc::clone(&start.signal));
    if let Err(error) = try_run::<D>(start) {
        // The builder waits for this. If it has gone, so has the pool.
        let _ = report.0.send(Err(error));
    }
    signal.close();
}

fn try_run<D: Driver>(start: Start<D::Signal>) -> Result<(), BuildError> {
    if let Some(cpus) = &start.pin {
        cpus::pin_current_thread(cpus).map_err(|error| BuildError::pin(start.id, cpus, error))?;
    }
    let (id, kind, entries) = (start.id, start.driver, start.ring_entries);
    let refused = |error| BuildError::driver(id, kind, entries, error);
    let mut driver = D::new(&start.signal, entries).map_err(refused)?;
    let (lived, quiet) = driver::run(&mut driver, |port| live(start, port)).map_err(refused)?;
    driver.dispose(quiet);
    lived
}

/// Inside the driver, from the start hook to the stop hook. Says whether the driver has nothing left in flight.
async fn live<S, P: Port>(start: Start<S>, mut port: P) -> (Result<(), BuildError>, bool) {
    let Start { id, shared, report, .. } = start;
    let local = Local::new(Arc::clone(&shared), Arc::clone(&shared.workers[id.index()]));
    let entered = context::enter(Arc::clone(&shared), Some(Rc::clone(&local)));
    let close = CloseOnDrop(Rc::clone(&local));
    let hook = shared.hooks.start(id);
    let is_hook_through = hook.is_ok();
    let started = match hook {
        // Ends with the last factory's future, or with the pool.
        Ok(()) => worker_state::make_all(&local, &mut port, &shared, id).await,
        Err(error) => Err(error),
    };
    if started.is_ok() {
        // A builder that has gone takes the pool with it, which the phase tells.
        let _ = report.send(Ok(()));
        drop(report);
        let mut worker = Worker::new(id, Arc::clone(&shared));
        // Ends with the pool. Its own waits are named in `event_loop`.
        event_loop::run(&local, &mut port, &mut worker).await;
        if worker.is_cut_off() {
            worker.drop_the_queue(&local);
        }
    }
    drop(close);
    if is_hook_through {
        shared.hooks.stop(id);
    }
    local.states().drop_all();
    // Ended by the driver, within its limit. What was dropped above may be buffers of a user's type, whose own drops come
    // in here.
    let quiet = port.quiesce().await;
    drop(entered);
    (started, quiet)
}

impl Drop for TellOfPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.0.send(Err(BuildError::worker_died()));
        }
    }
}

/// The role of a worker's loop.
struct Worker {
    id: WorkerId,
    shared: Arc<Shared>,
    /// The source that work came from last.
    last: usize,
    /// It has put itself on the list of sleepers.
    listed: bool,
    balance: Balance,
    picker: Picker,
}

/// Runs one poll of work from one source. False: there is none.
type Source = fn(&mut Worker, &Local) -> bool;

/// Each source has its turn, so that none starves another.
const SOURCES: [Source; 3] = [Worker::run_woken, Worker::start_pinned, Worker::start_unstarted];

impl Role for Worker {
    type Output = ();

    fn step(&mut self, local: &Local) -> Step<()> {
        local.remote().load.count_step();
        local.take_inbox();
        match self.shared.lifecycle.phase() {
            Phase::Running => {}
            Phase::Draining if !self.is_drained(local) && !self.is_cut_off() => {}
            Phase::Draining | Phase::CutOff => return Step::Done(()),
        }
        // The poll to come may be a long one: what else waits, another worker should see to.
        self.pass_on(local);
        for next in (self.last + 1..).take(SOURCES.len()).map(|source| source % SOURCES.len()) {
            if SOURCES[next](self, local) {
                self.last = next;
                return Step::Ran;
            }
        }
        Step::Idle
    }

    fn announce(&mut self, local: &Local) {
        // A worker at its limit could not take the job that it would be woken for, and one that defers would not.
        if self.may_start(local) && self.balance.deadline().is_none() {
            self.shared.sleepers.announce(self.id.index);
            self.listed = true;
        }
    }

    fn get_up(&mut self) {
        if std::mem::take(&mut self.listed) {
            self.shared.sleepers.get_up(self.id.index);
        }
    }

    fn has_work(&self, local: &Local) -> bool {
        let new = || local.has_pinned() || self.balance.deadline().is_none() && self.shared.has_unstarted();
        let ends = || match self.shared.lifecycle.phase() {
            Phase::Running => false,
            Phase::Draining => self.is_drained(local) || self.is_cut_off(),
            Phase::CutOff => true,
        };
        self.may_start(local) && new() || ends()
    }

    fn deadline(&self) -> Option<Instant> {
        let drain = match self.shared.lifecycle.phase() {
            Phase::Draining => self.shared.lifecycle.deadline(),
            Phase::Running | Phase::CutOff => None,
        };
        [drain, self.balance.deadline()].into_iter().flatten().min()
    }
}

impl Worker {
    fn new(id: WorkerId, shared: Arc<Shared>) -> Worker {
        let balance = Balance::new(id.index(), shared.workers.len());
        Worker { id, shared, last: 0, listed: false, balance, picker: Picker::new(id.index()) }
    }

    fn run_woken(&mut self, local: &Local) -> bool {
        let Some(task) = local.next_ready() else { return false };
        local.run(task);
        true
    }

    fn start_pinned(&mut self, local: &Local) -> bool {
        let job = if self.may_start(local) { local.next_pinned() } else { None };
        // In the order of their coming, so no class goes first.
        job.map(|job| local.start(job, Class::Interactive)).is_some()
    }

    /// Starts a job that any worker may start. It is not taken unless it can be started: what is in a queue another worker
    /// can take.
    fn start_unstarted(&mut self, local: &Local) -> bool {
        if !self.may_start(local) || (local.remote().backlog_len() == 0 && !self.shared.has_unstarted()) {
            self.balance.rest();
            return false;
        }
        if !self.balance.may_start(&self.shared, local.live_tasks()) {
            return false;
        }
        let job = self.picker.next(&self.shared, local.remote());
        job.map(|(job, class)| local.start(job, class)).is_some()
    }

    /// Wakes another worker if jobs wait while it sleeps.
    fn pass_on(&self, local: &Local) {
        if !self.shared.sleepers.is_empty() && picker::has_more(&self.shared, local.remote()) {
            self.shared.wake_one();
        }
    }

    fn may_start(&self, local: &Local) -> bool {
        local.live_tasks() < self.shared.max_tasks_per_worker
    }

    /// Everything that was accepted has ended, as far as this worker can have to do with it, and no more can come.
    fn is_drained(&self, local: &Local) -> bool {
        local.live_tasks() == 0
            && !local.has_pinned()
            && local.remote().inbox.is_empty()
            && !self.shared.has_unstarted()
            && self.shared.blocking.is_empty()
    }

    fn is_cut_off(&self) -> bool {
        self.shared.lifecycle.phase() == Phase::CutOff
            || self.shared.lifecycle.deadline().is_some_and(|deadline| deadline <= now())
    }

    /// Ends the jobs that no worker has taken. Each worker that is cut off does so; together they find them all.
    fn drop_the_queue(&self, local: &Local) {
        while let Some(job) = self.shared.queues.iter().find_map(|queue| queue.pop()) {
            local.never_start(&job);
        }
    }
}
