//! The thread that looks at the workers.

#[cfg(feature = "backtrace")]
use super::backtrace;
use super::{
    Stall,
    suspicion::{Limits, Suspicion},
    thread_time::ThreadTime,
    watch::Watch,
};
use crate::{BuildError, context, cpus, load::Load, shared::Shared, task::Origin, trace};
use std::{
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

/// Looks in the time of a threshold. The first sees the poll, from the second on its time is taken, and so a stall is told of
/// after 1.25 to 1.5 thresholds. More looks would be sooner by a little, and dearer.
const LOOKS_PER_THRESHOLD: u32 = 4;

/// The thread of a pool, to be ended with it.
pub(crate) struct WatchThread(thread::JoinHandle<()>);

/// Starts the thread, if anybody is to look.
pub(crate) fn start(shared: &Arc<Shared>, thread_name: &str) -> Result<Option<WatchThread>, BuildError> {
    // In a model nobody looks: it has no time that passes, and the looks would be steps of their own.
    let Some(threshold) = shared.watch.threshold().filter(|_| !cfg!(any(millpond_loom, millpond_shuttle)))
    else {
        return Ok(None);
    };
    let theirs = Arc::clone(shared);
    let thread = thread::Builder::new()
        .name(format!("{thread_name}-watch"))
        .spawn(move || Watcher::new(theirs, threshold).run());
    thread.map(|thread| Some(WatchThread(thread))).map_err(|error| BuildError::watch_thread(threshold, error))
}

impl WatchThread {
    /// Ends it, and waits for that. In a stall hook, which it runs itself, it ends when the hook has.
    pub(crate) fn end(self, watch: &Watch) {
        watch.end(self.0.thread());
        if self.0.thread().id() != thread::current().id() {
            // Ended by the flag, which it looks at after each wait; a hook that it runs comes to its end first.
            let _ = self.0.join();
        }
    }
}

struct Watcher {
    shared: Arc<Shared>,
    period: Duration,
    limits: Limits,
    /// In the order of the workers.
    suspicions: Vec<Suspicion>,
}

impl Watcher {
    fn new(shared: Arc<Shared>, threshold: Duration) -> Watcher {
        let period = threshold / LOOKS_PER_THRESHOLD;
        let suspicions = shared.workers.iter().map(|_| Suspicion::Moves).collect();
        Watcher { shared, period, limits: Limits { threshold, longest_gap: period * 2 }, suspicions }
    }

    /// The whole life of the thread.
    fn run(mut self) {
        if let Some(allowance) = &self.shared.allowance {
            // A pool that is built in a job would have it on that worker's one CPU. A refusal leaves it there.
            let _ = cpus::pin_current_thread(&allowance.cpus);
        }
        let shared = Arc::clone(&self.shared);
        let _entered = context::enter(Arc::clone(&shared), None);
        shared.watch.begin();
        while shared.watch.pause(self.period) {
            self.look();
            if workers(&shared).all(|worker| worker.running().is_none()) {
                shared.watch.sleep(workers(&shared));
                // What has woken it begins now.
                self.look();
            }
        }
    }

    fn look(&mut self) {
        for worker in 0..self.suspicions.len() {
            let thread_time = || self.shared.watch.with_thread(worker, ThreadTime::of).flatten();
            let load = &self.shared.workers[worker].load;
            if let Some((origin, held)) = self.suspicions[worker].look(load, &self.limits, thread_time) {
                self.tell(worker, origin, held);
            }
        }
    }

    /// All that is done about a stall.
    fn tell(&self, worker: usize, origin: Origin, held: Duration) {
        self.shared.watch.count(worker);
        let stall = Stall {
            worker: self.shared.worker_ids[worker],
            name: origin.name(),
            location: origin.location(),
            held,
            noticed: SystemTime::now(),
            backtrace: self.backtrace(worker),
        };
        self.shared.watch.keep(&stall);
        trace::stall(&stall);
        self.shared.hooks.stall(&stall);
    }

    /// What the worker's thread is doing, if it is still at it.
    #[cfg(feature = "backtrace")]
    fn backtrace(&self, worker: usize) -> Option<Arc<str>> {
        let frames = backtrace::frames(|ask| self.shared.watch.with_thread(worker, ask))?;
        // The step was the same before and after, and so it was in between.
        let lasts = self.suspicions[worker].lasts(&self.shared.workers[worker].load);
        if lasts { backtrace::text(&frames) } else { None }
    }

    #[cfg(not(feature = "backtrace"))]
    fn backtrace(&self, _worker: usize) -> Option<Arc<str>> {
        None
    }
}

/// What each worker shows.
fn workers(shared: &Shared) -> impl Iterator<Item = &Load> {
    shared.workers.iter().map(|worker| &*worker.load)
}
