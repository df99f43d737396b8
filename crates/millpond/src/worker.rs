//! A worker: its thread, what it runs next, and how it ends.

use crate::{
    BuildError, Receipt, context, cpus,
    driver::{Driver, DriverKind, EventFd, Port},
    event_loop::{self, Role, Step},
    local::Local,
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

/// The whole life of a worker's thread. Says how the worker's jobs ended.
pub(crate) fn run<D: Driver>(start: Start) -> Receipt {
    let shared = Arc::clone(&start.shared);
    // First in, last out: the pool takes the thread for ended when all below has been dropped.
    let _exit = ExitGuard(&shared.exits);
    let report = start.report.clone();
    match try_run::<D>(start) {
        Ok(ended) => ended,
        Err(error) => {
            // The builder waits for this. If it has gone, so has the pool.
            let _ = report.send(Err(error));
            Receipt::default()
        }
    }
}

fn try_run<D: Driver>(start: Start) -> Result<Receipt, BuildError> {
    if let Some(cpus) = &start.pin {
        cpus::pin_current_thread(cpus).map_err(|error| BuildError::pin(start.id, cpus, error))?;
    }
    let (id, kind, entries) = (start.id, start.driver, start.ring_entries);
    let refused = |error| BuildError::driver(id, kind, entries, error);
    let mut driver = D::new(&start.signal, entries).map_err(refused)?;
    let lived = driver.run(|port| live(start, port)).map_err(refused)?;
    driver.dispose(lived.as_ref().map_or(true, |(_, quiet)| *quiet));
    lived.map(|(ended, _)| ended)
}

/// Inside the driver, from the start hook to the stop hook.
async fn live<P: Port>(start: Start, mut port: P) -> Result<(Receipt, bool), BuildError> {
    let Start { id, shared, report, .. } = start;
    let local = Local::new(Arc::clone(&shared), Arc::clone(&shared.workers[id.index()]));
    let _entered = context::enter(Arc::clone(&shared), Some(Rc::clone(&local)));
    shared.hooks.start(id)?;
    // A builder that has gone takes the pool with it, which the phase tells.
    let _ = report.send(Ok(()));
    drop(report);

    let mut worker = Worker { id, shared: Arc::clone(&shared), started_last: false, listed: false };
    event_loop::run(&local, &mut port, &mut worker).await;
    if worker.is_cut_off() {
        worker.drop_the_queue(&local);
    }
    let ended = local.close();
    shared.hooks.stop(id);
    // Ended by the driver, within its limit.
    Ok((ended, port.quiesce().await))
}

/// The role of a worker's loop.
struct Worker {
    id: WorkerId,
    shared: Arc<Shared>,
    /// What ran last was a new job: next comes a woken task, if there is one.
    started_last: bool,
    /// It has put itself on the list of sleepers.
    listed: bool,
}

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
        // In turns, so that neither new jobs nor woken tasks starve the other.
        let order: [fn(&mut Worker, &Local) -> bool; 2] = match self.started_last {
            true => [Worker::run_woken, Worker::start_new],
            false => [Worker::start_new, Worker::run_woken],
        };
        if order.into_iter().any(|run| run(self, local)) { Step::Ran } else { Step::Idle }
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
    fn start_new(&mut self, local: &Local) -> bool {
        if !self.may_start(local) {
            return false;
        }
        let Some(job) = local.next_pinned().or_else(|| self.shared.queue.pop()) else { return false };
        // The queue may hold more than this worker can see to.
        self.shared.pass_on();
        self.started_last = true;
        local.start(job);
        true
    }

    fn run_woken(&mut self, local: &Local) -> bool {
        let Some(task) = local.next_ready() else { return false };
        self.started_last = false;
        local.run(task);
        true
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
