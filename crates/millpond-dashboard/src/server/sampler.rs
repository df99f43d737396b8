//! What a pool did lately: the difference of two looks at it.

use millpond::metrics::{Histogram, JobCounts, Metrics, WorkerMetrics};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The looks of the past that rates are taken from.
///
/// A window begins at the newest look that is old enough, so that whoever asks between two ticks neither gets the rates of a
/// few milliseconds nor spoils the next tick's.
#[derive(Debug, Default)]
pub(crate) struct Sampler {
    /// The oldest first: one that is old enough, at least once there was one, and those after it.
    past: VecDeque<Look>,
}

/// A pool at an instant.
#[derive(Debug)]
struct Look {
    at: Instant,
    metrics: Metrics,
}

/// A pool now, and what it did in the window that ends now.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) metrics: Metrics,
    /// How long the window is: since the pool's start, if nobody had looked before.
    pub(crate) window: Duration,
    pub(crate) accepted: u64,
    pub(crate) started: u64,
    pub(crate) ended: u64,
    pub(crate) queue_wait: Histogram,
    pub(crate) poll_time: Histogram,
    /// In the order of the workers.
    pub(crate) workers: Vec<WorkerWindow>,
}

/// What a worker did in the window.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WorkerWindow {
    pub(crate) started: u64,
    pub(crate) polls: u64,
    pub(crate) busy: Duration,
    pub(crate) idle: Duration,
}

/// Half a tick.
const WINDOW_MIN: Duration = Duration::from_millis(500);

impl Sampler {
    /// Takes what the pool is now, and compares it with what it was.
    pub(crate) fn sample(&mut self, metrics: Metrics) -> Sample {
        let now = Instant::now();
        while self.past.get(1).is_some_and(|look| now - look.at >= WINDOW_MIN) {
            self.past.pop_front();
        }
        let earlier = self.past.front().filter(|look| now - look.at >= WINDOW_MIN);
        let window = earlier.map_or(metrics.uptime, |look| now - look.at);
        let sample = Sample::between(earlier.map(|look| &look.metrics), &metrics, window);
        // Two asked within half a tick begin their windows at the same look; the second need not be kept.
        if self.past.back().is_none_or(|look| now - look.at >= WINDOW_MIN) {
            self.past.push_back(Look { at: now, metrics });
        }
        sample
    }
}

impl Sample {
    fn between(earlier: Option<&Metrics>, metrics: &Metrics, window: Duration) -> Sample {
        let since = |count: fn(&JobCounts) -> u64| {
            count(&metrics.jobs).saturating_sub(earlier.map_or(0, |earlier| count(&earlier.jobs)))
        };
        let lately = |now: Histogram, then: Option<Histogram>| match then {
            Some(then) => now.since(&then),
            None => now,
        };
        let before = |index: usize| earlier.and_then(|earlier| earlier.workers.get(index));
        let workers = metrics.workers.iter().enumerate();
        Sample {
            window,
            accepted: since(|jobs| jobs.accepted),
            started: since(|jobs| jobs.started),
            ended: since(JobCounts::ended),
            queue_wait: lately(metrics.queue_wait(), earlier.map(Metrics::queue_wait)),
            poll_time: lately(metrics.poll_time(), earlier.map(Metrics::poll_time)),
            workers: workers.map(|(index, now)| WorkerWindow::between(before(index), now)).collect(),
            metrics: metrics.clone(),
        }
    }

    /// So many a second, of what came in the window.
    pub(crate) fn rate(&self, count: u64) -> f64 {
        // Nobody counts in a window of no length.
        count as f64 / self.window.as_secs_f64().max(f64::EPSILON)
    }
}

impl WorkerWindow {
    fn between(earlier: Option<&WorkerMetrics>, now: &WorkerMetrics) -> WorkerWindow {
        let Some(earlier) = earlier else {
            return WorkerWindow { started: now.started, polls: now.polls, busy: now.busy, idle: now.idle };
        };
        WorkerWindow {
            started: now.started.saturating_sub(earlier.started),
            polls: now.polls.saturating_sub(earlier.polls),
            busy: now.busy.saturating_sub(earlier.busy),
            idle: now.idle.saturating_sub(earlier.idle),
        }
    }

    /// From 0 to 1: of the worker's time in the window.
    pub(crate) fn busy_share(&self) -> f64 {
        let life = self.busy + self.idle;
        if life.is_zero() { 0.0 } else { self.busy.as_secs_f64() / life.as_secs_f64() }
    }
}
