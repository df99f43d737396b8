//! A worker: its thread, what it runs next, and how it ends.

use crate::{
    BuildError, context, cpus,
    driver::{Driver, DriverKind, EventFd, Port},
    event_loop::{self, Role, Step},
    local::{CloseOnDrop, Local},
    shared::Shared,
    shutdown::{ExitGuard, Phase},
    worker_id::WorkerId,
};
use std::{
    rc::Rc,
    sync::{Arc, mpsc},
    time::Instant,
};

/// All that a worker's thread starts from.
pub(crate) struct Start {
    pub(crate) id: WorkerId,
    pub(crate) shared: Arc<Shared>,
    /// The same as in the worker's seat, for the driver to wait on.
    pub(crate) signal: Arc<EventFd>,
    pub(crate) driver: DriverKind,
    pub(crate) ring_entries: u32,
    /// The CPUs to run on; `None` leaves the thread where the kernel puts it.
    pub(crate) pin: Option<Vec<usize>>,
    /// Tells the builder, once, that the worker is up or why it is not.
    pub(crate) report: mpsc::Sender<Result<(), BuildError>>,
}

/// The whole life of a worker's thread.
pub(crate) fn run<D: Driver>(start: Start) {
    let shared = Arc::clone(&start.shared);
    // First in, last out: the pool takes the thread for ended when all below has been dropped.
    let _exit = ExitGuard(&shared.exits);
    let (report, signal) = (start.report.clone(), Arc::clone(&start.signal));
    if let Err(error) = try_run::<D>(start) {
        // The builder waits for this. If it has gone, so has the pool.
        let _ = report.send(Err(error));
    }
    signal.close();
}

fn try_run<D: Driver>(start: Start) -> Result<(), BuildError> {
    if let Some(cpus) = &start.pin {
        cpus::pin_current_thread(cpus).map_err(|error| BuildError::pin(start.id, cpus, error))?;
    }
    let (id, kind, entries) = (start.id, start.driver, start.ring_entries);
    let refused = |error| BuildError::driver(id, kind, entries, error);
    let mut driver = D::new(&start.signal, entries).map_err(refused)?;
    let (lived, quiet) = driver.run(|port| live(start, port)).map_err(refused)?;
    driver.dispose(quiet);
    lived
}

/// Inside the driver, from the start hook to the stop hook. Says whether the driver has nothing left in flight.
async fn live<P: Port>(start: Start, mut port: P) -> (Result<(), BuildError>, bool) {
    let Start { id, shared, report, .. } = start;
    let local = Local::new(Arc::clone(&shared), Arc::clone(&shared.workers[id.index()]));
    let entered = context::enter(Arc::clone(&shared), Some(Rc::clone(&local)));
    let close = CloseOnDrop(Rc::clone(&local));
    let started = shared.hooks.start(id);
    if started.is_ok() {
        // A builder that has gone takes the pool with it, which the phase tells.
        let _ = report.send(Ok(()));
        drop(report);
        let mut worker = Worker { id, shared: Arc::clone(&shared), last: 0, listed: false };
        // Ends with the pool. Its own waits are named in `event_loop`.
        event_loop::run(&local, &mut port, &mut worker).await;
        if worker.is_cut_off() {
            worker.drop_the_queue(&local);
        }
    }
    drop(close);
    if started.is_ok() {
        shared.hooks.stop(id);
    }
    // Ended by the driver, within its limit. What was dropped above may be buffers of a user's type, whose own drops come
    // in here.
    let quiet = port.quiesce().await;
    drop(entered);
    (started, quiet)
}

/// The role of a worker's loop.
struct Worker {
    id: WorkerId,
    shared: Arc<Shared>,
    /// The source that work came from last.
    last: usize,
    /// It has put itself on the list of sleepers.
    listed: bool,
}

/// Runs one poll of work from one source. False: there is none.
type Source = fn(&Worker, &Local) -> bool;

/// Each source has its turn, so that none starves another.
const SOURCES: [Source; 3] = [Worker::run_woken, Worker::start_pinned, Worker::start_shared];

impl Role for Worker {
    type Output = ();

    fn step(&mut self, local: &Local) -> Step<()> {
        local.take_inbox();
        match self.shared.lifecycle.phase() {
            Phase::Running => {}
            Phase::Draining if !self.is_drained(local) && !self.is_cut_off() => {}
            Phase::Draining | Phase::CutOff => return Step::Done(()),
        }
        // The poll to come may be a long one: what else waits, another worker should see to.
        self.shared.pass_on();
        for next in (self.last + 1..).take(SOURCES.len()).map(|source| source % SOURCES.len()) {
            if SOURCES[next](self, local) {
                self.last = next;
                return Step::Ran;
            }
        }
        Step::Idle
    }

    fn announce(&mut self, local: &Local) {
        // A worker at its limit could not take the job that it would be woken for.
        if self.may_start(local) {
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
        let new = || local.has_pinned() || !self.shared.queue.is_empty();
        let ends = || match self.shared.lifecycle.phase() {
            Phase::Running => false,
            Phase::Draining => self.is_drained(local) || self.is_cut_off(),
            Phase::CutOff => true,
        };
        self.may_start(local) && new() || ends()
    }

    fn deadline(&self) -> Option<Instant> {
        match self.shared.lifecycle.phase() {
            Phase::Draining => self.shared.lifecycle.deadline(),
            Phase::Running | Phase::CutOff => None,
        }
    }
}

impl Worker {
    fn run_woken(&self, local: &Local) -> bool {
        let Some(task) = local.next_ready() else { return false };
        local.run(task);
        true
    }

    fn start_pinned(&self, local: &Local) -> bool {
        let job = if self.may_start(local) { local.next_pinned() } else { None };
        job.map(|job| local.start(job)).is_some()
    }

    fn start_shared(&self, local: &Local) -> bool {
        // Not taken unless it can be started: what is in the queue another worker can take.
        let job = if self.may_start(local) { self.shared.queue.pop() } else { None };
        // There may be more than this worker can see to.
        self.shared.pass_on();
        job.map(|job| local.start(job)).is_some()
    }

    fn may_start(&self, local: &Local) -> bool {
        local.live_tasks() < self.shared.max_tasks_per_worker
    }

    /// Everything that was accepted has ended, as far as this worker can have to do with it, and no more can come.
    fn is_drained(&self, local: &Local) -> bool {
        local.live_tasks() == 0
            && !local.has_pinned()
            && local.remote().inbox.is_empty()
            && self.shared.queue.is_empty()
            && self.shared.blocking.is_empty()
    }

    fn is_cut_off(&self) -> bool {
        self.shared.lifecycle.phase() == Phase::CutOff
            || self.shared.lifecycle.deadline().is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Ends the jobs that no worker has taken. Each worker that is cut off does so; together they find them all.
    fn drop_the_queue(&self, local: &Local) {
        while let Some(job) = self.shared.queue.pop() {
            local.never_start(&job);
        }
    }
}
