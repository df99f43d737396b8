//! What other threads see of a loop.

use crate::{
    backlog::Backlog, channel::Hints, class::ByClass, driver::Signal, inbox::Inbox, load::Load,
    metrics::Counters, padded::Padded, sleep::Seat, task::Task, worker_id::WorkerId,
};
use std::sync::Arc;

/// The side of a loop that other threads hold: its inbox and its seat, and what a worker shows of its work.
///
/// Shared by the pool, by the loop's own thread, and by each task that started there: a waker that outlives the pool
/// finds the inbox closed, not gone.
pub(crate) struct Remote {
    /// `None` for the loop of a `block_on`, which takes no jobs.
    worker: Option<WorkerId>,
    pub(crate) inbox: Padded<Inbox>,
    pub(crate) seat: Padded<Seat>,
    /// A worker's own, as is its load.
    pub(crate) backlogs: Padded<ByClass<Backlog>>,
    pub(crate) load: Padded<Load>,
    /// Kept with the rest, so that they can be read when the loop has ended.
    pub(crate) counters: Padded<Counters>,
    /// Receivers on this loop that a channel has woken.
    pub(crate) hints: Padded<Hints>,
}

impl Remote {
    pub(crate) fn new(worker: Option<WorkerId>, signal: Arc<dyn Signal>) -> Remote {
        Remote {
            worker,
            inbox: Padded(Inbox::new()),
            seat: Padded(Seat::new(signal)),
            backlogs: Padded(ByClass::new(Backlog::new)),
            load: Padded(Load::new()),
            counters: Padded(Counters::default()),
            hints: Padded(Hints::new()),
        }
    }

    pub(crate) fn worker(&self) -> Option<WorkerId> {
        self.worker
    }

    /// Jobs at hand that have not started.
    pub(crate) fn backlog_len(&self) -> usize {
        self.backlogs.iter().map(Backlog::len).sum()
    }

    /// Brings a notified task to its run queue, from another thread.
    pub(crate) fn schedule(&self, task: Task) {
        match self.inbox.push(task) {
            Ok(()) => self.seat.unpark(),
            // The loop has ended, and with it each of its tasks.
            Err(task) => drop(task),
        }
    }

    /// Sends a job that this loop alone may run.
    pub(crate) fn send_job(&self, job: Task) -> Result<(), Task> {
        self.inbox.push_job(job, self.seat.is_asleep())?;
        self.seat.unpark();
        Ok(())
    }
}
