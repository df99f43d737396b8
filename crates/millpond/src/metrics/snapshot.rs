//! Reads a pool's counts while they change, so that they add up.
//!
//! A job is accepted at one place, started at another, and ends there. Each of these is counted where it happens, after the
//! one before it. A snapshot reads them against that order, first all ends, then all starts, then what was accepted. So it
//! knows the start of each end that it has read, and that each start was accepted: nothing is below zero, and what was
//! accepted and has not started by then is what is queued.

use super::{
    JobCounts, Metrics, WorkerMetrics,
    counters::{Counters, Ended},
};
use crate::{Class, Receipt, backlog::Backlog, remote::Remote, shared::Shared, sync::now};
use std::time::Instant;

/// The ends and starts on one loop, or on several.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flow {
    pub(super) ended: Ended,
    pub(super) started: u64,
    /// Accepted by the loop itself, and started with that.
    local: u64,
}

/// Reads a loop's counts, against the order in which they are written.
pub(super) fn flow(counters: &Counters) -> Flow {
    let ended = counters.ended();
    let started = counters.started.get();
    Flow { ended, started, local: counters.local.get() }
}

impl Flow {
    pub(super) fn add(&mut self, other: Flow) {
        let (all, more) = (&mut self.ended, other.ended);
        all.completed += more.completed;
        all.panicked += more.panicked;
        all.aborted += more.aborted;
        all.called_off += more.called_off;
        all.cut_off += more.cut_off;
        all.never_started += more.never_started;
        all.expired += more.expired;
        self.started += other.started;
        self.local += other.local;
    }

    fn tasks(&self) -> u64 {
        self.started - self.ended.started()
    }

    fn counts(&self, accepted: u64) -> JobCounts {
        let ended = &self.ended;
        JobCounts {
            accepted,
            queued: accepted - self.started - ended.unstarted(),
            tasks: self.tasks(),
            started: self.started,
            completed: ended.completed,
            panicked: ended.panicked,
            aborted: ended.aborted + ended.called_off,
            cut_off: ended.cut_off,
            never_started: ended.never_started,
            expired: ended.expired,
        }
    }
}

/// See [`Handle::metrics`](crate::Handle::metrics).
pub(crate) fn snapshot(shared: &Shared) -> Metrics {
    let flows: Vec<Flow> = shared.workers.iter().map(|worker| flow(&worker.counters)).collect();
    let mut whole = Flow::default();
    flows.iter().for_each(|flow| whole.add(*flow));
    let at = now();
    // After every start, and so is each look at a way in.
    let stalls = (0..).map(|index| shared.watch.count_of(index));
    let workers: Vec<_> = (shared.workers.iter().zip(&flows).zip(stalls))
        .map(|((remote, flow), stalls)| worker(remote, flow, stalls, at))
        .collect();
    let accepted = shared.queues.iter().map(|queue| queue.accepted()).sum::<u64>()
        + workers.iter().map(|worker| worker.accepted).sum::<u64>();
    let block_on = shared.loops.flow();
    let block_on = block_on.counts(block_on.local);
    let blocking = shared.blocking.counts();
    let mut jobs = whole.counts(accepted);
    jobs.add(&block_on);
    jobs.add(&blocking);
    Metrics {
        uptime: at.saturating_duration_since(shared.born),
        jobs,
        shared_queue: shared.queues[Class::Interactive].len() as u64,
        bulk_queue: shared.queues[Class::Bulk].len() as u64,
        queue_capacity: shared.queues[Class::Interactive].capacity(),
        workers,
        blocking,
        block_on,
    }
}

fn worker(remote: &Remote, flow: &Flow, stalls: u64, at: Instant) -> WorkerMetrics {
    let counters = &*remote.counters;
    let counts = &flow.ended;
    let pinned_taken = counters.pinned.get();
    let pinned = remote.inbox.accepted_jobs();
    let (busy, idle) = counters.time.read(at);
    WorkerMetrics {
        id: remote.worker().expect("one of the pool's workers"),
        accepted: pinned + remote.backlogs.iter().map(Backlog::accepted).sum::<u64>() + flow.local,
        queued: pinned - pinned_taken + remote.backlog_len() as u64,
        tasks: flow.tasks(),
        started: flow.started,
        completed: counts.completed,
        panicked: counts.panicked,
        aborted: counts.aborted + counts.called_off,
        cut_off: counts.cut_off,
        never_started: counts.never_started,
        expired: counts.expired,
        polls: counters.polls.get(),
        batches: counters.batches.get(),
        batch_jobs: counters.batch_jobs.get(),
        steals: counters.steals.get(),
        stolen_jobs: counters.stolen_jobs.get(),
        parks: counters.parks.get(),
        wakes_sent: counters.wakes_sent.get(),
        wakes_received: remote.seat.wakes(),
        driver_turns: counters.driver_turns.get(),
        stalls,
        busy,
        idle,
        queue_wait: counters.queue_waits[Class::Interactive].histogram(),
        bulk_queue_wait: counters.queue_waits[Class::Bulk].histogram(),
        poll_time: counters.poll_time.histogram(),
    }
}

impl JobCounts {
    /// Of blocking closures, which are counted under one lock.
    pub(crate) fn of_blocking(accepted: u64, queued: u64, tasks: u64, ended: Receipt) -> JobCounts {
        let Receipt { completed, panicked, aborted, cut_off, never_started, expired } = ended;
        // One that has started cannot be aborted.
        let started = tasks + completed + panicked + cut_off;
        JobCounts {
            accepted,
            queued,
            tasks,
            started,
            completed,
            panicked,
            aborted,
            cut_off,
            never_started,
            expired,
        }
    }

    fn add(&mut self, other: &JobCounts) {
        self.accepted += other.accepted;
        self.queued += other.queued;
        self.tasks += other.tasks;
        self.started += other.started;
        self.completed += other.completed;
        self.panicked += other.panicked;
        self.aborted += other.aborted;
        self.cut_off += other.cut_off;
        self.never_started += other.never_started;
        self.expired += other.expired;
    }
}
