//! The JSON of `/json` and `/events`. Its shape is documented on the crate's front page.

use super::sampler::{Sample, WorkerWindow};
use millpond::{
    Stall,
    metrics::{Histogram, JobCounts, WorkerMetrics},
};
use serde::Serialize;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A pool, as a reader gets it each second.
#[derive(Debug, Serialize)]
pub(crate) struct Snapshot<'a> {
    /// Counts the snapshots of this dashboard, from 1.
    pub(crate) sequence: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<&'a str>,
    time_ms: u64,
    uptime_s: f64,
    window_s: f64,
    queue: QueueView,
    jobs: JobCountsView,
    blocking: JobCountsView,
    block_on: JobCountsView,
    rates: Rates,
    busy: f64,
    queue_wait: Percentiles,
    poll_time: Percentiles,
    /// All since the pool's start.
    stalls: u64,
    workers: Vec<WorkerView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recent_stalls: Option<Vec<StallView<'a>>>,
}

#[derive(Debug, Serialize)]
struct QueueView {
    /// In the shared queue, which the capacity is for.
    shared: u64,
    /// There and wherever else a job waits.
    waiting: u64,
    /// `None`: there is no limit.
    capacity: Option<u64>,
    /// From 0 to 1, and beyond where `spawn` is not held back; 0 without a limit.
    fill: f64,
}

#[derive(Debug, Serialize)]
struct JobCountsView {
    accepted: u64,
    started: u64,
    completed: u64,
    panicked: u64,
    aborted: u64,
    expired: u64,
    cut_off: u64,
    never_started: u64,
    queued: u64,
    tasks: u64,
}

/// A second, in the window.
#[derive(Debug, Serialize)]
struct Rates {
    accepted: f64,
    started: f64,
    ended: f64,
    polls: f64,
}

/// Of what came in the window.
#[derive(Debug, Serialize)]
struct Percentiles {
    count: u64,
    p50_ns: u64,
    p90_ns: u64,
    p99_ns: u64,
    max_ns: u64,
}

#[derive(Debug, Serialize)]
struct WorkerView {
    worker: usize,
    busy: f64,
    tasks: u64,
    queued: u64,
    started_rate: f64,
    polls_rate: f64,
    stalls: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<WorkerTotals>,
}

/// What only `/json` tells: all since the pool's start.
#[derive(Debug, Serialize)]
struct WorkerTotals {
    accepted: u64,
    started: u64,
    completed: u64,
    panicked: u64,
    aborted: u64,
    expired: u64,
    cut_off: u64,
    never_started: u64,
    polls: u64,
    batches: u64,
    batch_jobs: u64,
    steals: u64,
    stolen_jobs: u64,
    parks: u64,
    wakes_sent: u64,
    wakes_received: u64,
    driver_turns: u64,
    busy_s: f64,
    idle_s: f64,
}

/// What the event `stalls` carries.
#[derive(Debug, Serialize)]
pub(crate) struct Stalls<'a> {
    /// The newest of them, the oldest first.
    pub(crate) recent_stalls: Vec<StallView<'a>>,
}

#[derive(Debug, Serialize)]
pub(crate) struct StallView<'a> {
    worker: usize,
    name: Option<&'a str>,
    location: String,
    held_ns: u64,
    noticed_ms: u64,
    backtrace: Option<&'a str>,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(sequence: u64, name: Option<&'a str>, sample: &Sample) -> Snapshot<'a> {
        let metrics = &sample.metrics;
        let workers = || metrics.workers.iter().zip(&sample.workers);
        let polls: u64 = sample.workers.iter().map(|worker| worker.polls).sum();
        let busy: f64 = sample.workers.iter().map(WorkerWindow::busy_share).sum();
        Snapshot {
            sequence,
            name,
            time_ms: unix_ms(SystemTime::now()),
            uptime_s: metrics.uptime.as_secs_f64(),
            window_s: sample.window.as_secs_f64(),
            queue: QueueView::new(metrics.shared_queue, metrics.jobs.queued, metrics.queue_capacity),
            jobs: metrics.jobs.into(),
            blocking: metrics.blocking.into(),
            block_on: metrics.block_on.into(),
            rates: Rates {
                accepted: sample.rate(sample.accepted),
                started: sample.rate(sample.started),
                ended: sample.rate(sample.ended),
                polls: sample.rate(polls),
            },
            busy: busy / metrics.workers.len().max(1) as f64,
            queue_wait: Percentiles::of(&sample.queue_wait),
            poll_time: Percentiles::of(&sample.poll_time),
            stalls: metrics.workers.iter().map(|worker| worker.stalls).sum(),
            workers: workers().map(|(worker, window)| WorkerView::new(worker, window, sample)).collect(),
            recent_stalls: None,
        }
    }

    /// With all that there is.
    pub(crate) fn in_full(mut self, sample: &Sample, stalls: &'a [Stall]) -> Snapshot<'a> {
        for (view, worker) in self.workers.iter_mut().zip(&sample.metrics.workers) {
            view.totals = Some(WorkerTotals::of(worker));
        }
        self.recent_stalls = Some(stalls.iter().map(StallView::of).collect());
        self
    }
}

impl QueueView {
    fn new(shared: u64, waiting: u64, capacity: usize) -> QueueView {
        let capacity = (capacity < usize::MAX).then_some(capacity as u64);
        QueueView {
            shared,
            waiting,
            capacity,
            fill: capacity.map_or(0.0, |capacity| shared as f64 / capacity as f64),
        }
    }
}

impl From<JobCounts> for JobCountsView {
    fn from(jobs: JobCounts) -> JobCountsView {
        JobCountsView {
            accepted: jobs.accepted,
            started: jobs.started,
            completed: jobs.completed,
            panicked: jobs.panicked,
            aborted: jobs.aborted,
            expired: jobs.expired,
            cut_off: jobs.cut_off,
            never_started: jobs.never_started,
            queued: jobs.queued,
            tasks: jobs.tasks,
        }
    }
}

impl Percentiles {
    fn of(histogram: &Histogram) -> Percentiles {
        Percentiles {
            count: histogram.count(),
            p50_ns: nanos(histogram.quantile(0.5)),
            p90_ns: nanos(histogram.quantile(0.9)),
            p99_ns: nanos(histogram.quantile(0.99)),
            max_ns: nanos(histogram.max()),
        }
    }
}

impl WorkerView {
    fn new(worker: &WorkerMetrics, window: &WorkerWindow, sample: &Sample) -> WorkerView {
        WorkerView {
            worker: worker.id.index(),
            busy: window.busy_share(),
            tasks: worker.tasks,
            queued: worker.queued,
            started_rate: sample.rate(window.started),
            polls_rate: sample.rate(window.polls),
            stalls: worker.stalls,
            totals: None,
        }
    }
}

impl WorkerTotals {
    fn of(worker: &WorkerMetrics) -> WorkerTotals {
        WorkerTotals {
            accepted: worker.accepted,
            started: worker.started,
            completed: worker.completed,
            panicked: worker.panicked,
            aborted: worker.aborted,
            expired: worker.expired,
            cut_off: worker.cut_off,
            never_started: worker.never_started,
            polls: worker.polls,
            batches: worker.batches,
            batch_jobs: worker.batch_jobs,
            steals: worker.steals,
            stolen_jobs: worker.stolen_jobs,
            parks: worker.parks,
            wakes_sent: worker.wakes_sent,
            wakes_received: worker.wakes_received,
            driver_turns: worker.driver_turns,
            busy_s: worker.busy.as_secs_f64(),
            idle_s: worker.idle.as_secs_f64(),
        }
    }
}

impl StallView<'_> {
    pub(crate) fn of(stall: &Stall) -> StallView<'_> {
        StallView {
            worker: stall.worker.index(),
            name: stall.name,
            location: stall.location.to_string(),
            held_ns: nanos(stall.held),
            noticed_ms: unix_ms(stall.noticed),
            backtrace: stall.backtrace.as_deref(),
        }
    }
}

/// Fits for 584 years.
fn nanos(duration: Duration) -> u64 {
    duration.as_nanos() as u64
}

fn unix_ms(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
