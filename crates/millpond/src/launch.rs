//! The start of a pool: all workers come up, or none stays.

use crate::{
    BuildError, Pool,
    allowance::Allowance,
    driver::{Driver, DriverKind, Signal, on_driver},
    hooks::Hooks,
    remote::Remote,
    shared::{self, Shared},
    sync::{mpsc, thread},
    worker::{self, Start},
    worker_id::WorkerId,
    worker_state::Factory,
};
use std::{sync::Arc, time::Duration};

/// The builder's settings, checked.
#[derive(Debug)]
pub(crate) struct Plan {
    /// For each worker the CPUs to be bound to.
    pub(crate) pins: Vec<Option<Vec<usize>>>,
    /// `None`: nothing depends on it, and no thread is bound.
    pub(crate) allowance: Option<Allowance>,
    pub(crate) thread_name: String,
    pub(crate) queue_capacity: usize,
    pub(crate) max_tasks_per_worker: usize,
    pub(crate) ring_entries: u32,
    pub(crate) hooks: Hooks,
    pub(crate) states: Vec<Factory>,
    /// `None`: nobody looks for stalls.
    pub(crate) stall_threshold: Option<Duration>,
}

/// Starts the workers, and waits until each is up.
pub(crate) fn launch(plan: &Plan, kind: DriverKind) -> Result<Pool, BuildError> {
    on_driver!(kind, D => launch_on::<D>(plan, kind))
}

/// The same for one type of driver.
pub(crate) fn launch_on<D: Driver>(plan: &Plan, kind: DriverKind) -> Result<Pool, BuildError> {
    let signals = signals::<D>(plan)?;
    let shared = Arc::new(shared(plan, &signals, kind));
    let (report, reports) = mpsc::channel();
    let mut threads = Vec::with_capacity(signals.len());
    let mut failure = None;
    for (id, signal) in shared.worker_ids.iter().zip(&signals) {
        let start = Start {
            id: *id,
            shared: Arc::clone(&shared),
            signal: Arc::clone(signal),
            driver: kind,
            ring_entries: plan.ring_entries,
            pin: plan.pins[id.index()].clone(),
            report: report.clone(),
        };
        match spawn::<D>(plan, start) {
            Ok(thread) => threads.push(thread),
            Err(error) => {
                failure = Some(BuildError::thread(signals.len(), id.index(), error));
                break;
            }
        }
    }
    drop(report);
    // From here on the drop of the pool ends the workers that did start, and joins them.
    let mut pool = Pool::from_parts(shared, threads, kind, plan.ring_entries);
    failure.map_or_else(|| all_up(&reports, signals.len()), Err)?;
    pool.start_watch(&plan.thread_name)?;
    Ok(pool)
}

fn signals<D: Driver>(plan: &Plan) -> Result<Vec<Arc<D::Signal>>, BuildError> {
    let workers = plan.pins.len();
    let no_room = |worker| move |error| BuildError::signal(workers, worker, error);
    let signals = (0..workers)
        .map(|worker| D::signal().map(Arc::new).map_err(no_room(worker)))
        .collect::<Result<Vec<_>, _>>()?;
    // Each worker has its signal by now, and opens the rest.
    signals.last().map_or(Ok(()), |signal| D::check_room(signal, workers)).map_err(no_room(workers - 1))?;
    Ok(signals)
}

fn shared<S: Signal + 'static>(plan: &Plan, signals: &[Arc<S>], kind: DriverKind) -> Shared {
    let pool = shared::next_pool_id();
    let remote = |(index, signal): (u16, &Arc<S>)| {
        Arc::new(Remote::new(Some(WorkerId { pool, index }), Arc::clone(signal) as _))
    };
    Shared::new(pool, (0..).zip(signals).map(remote).collect(), kind, plan)
}

fn spawn<D: Driver>(plan: &Plan, start: Start<D::Signal>) -> std::io::Result<thread::JoinHandle<()>> {
    let name = format!("{}-{}", plan.thread_name, start.id.index());
    thread::Builder::new().name(name).spawn(move || worker::run::<D>(start))
}

/// Waits for each worker's report, or the first bad one.
fn all_up(reports: &mpsc::Receiver<Result<(), BuildError>>, workers: usize) -> Result<(), BuildError> {
    for _ in 0..workers {
        // Ended by a report: each worker sends one before its first job, or as its thread dies of a panic.
        reports.recv().map_err(|_| BuildError::worker_died())??;
    }
    Ok(())
}
