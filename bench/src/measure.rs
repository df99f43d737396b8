//! One measurement: what is run, and what comes of it.

use std::time::Duration;

use crate::stopwatch::Lap;

/// One setting of a workload, for one contender.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case {
    pub(crate) workers: usize,
    /// One of the workload's variants; empty for a workload that has none.
    pub(crate) variant: &'static str,
    pub(crate) size: Size,
}

/// How much is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Full,
    /// For a first look.
    Quick,
    /// So little that it shows only whether everything runs and answers rightly.
    Smoke,
}

/// One figure. All are costs, so less is better, but for rates: see [`RATE_UNIT`].
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
}

/// Of what is done in a time: more is better. Never a first figure, as those are compared.
pub(crate) const RATE_UNIT: &str = "requests/s";

/// The figures of a run, the one that the workload is about first.
pub(crate) type Outcome = Result<Vec<Metric>, Failure>;

/// Why there are none.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// A wrong answer or a panic: the run as a whole fails.
    Wrong(String),
    /// It was ended at its limit. The run as a whole fails if it is one of ours.
    Hung(String),
    /// This machine does not allow it, or it would take more than is there. The row says so, and the others go on.
    Unable(String),
}

impl Failure {
    pub(crate) fn message(&self) -> &str {
        match self {
            Failure::Wrong(message) | Failure::Hung(message) | Failure::Unable(message) => message,
        }
    }
}

/// What is not said to be the machine's fault is the contender's.
impl<S: Into<String>> From<S> for Failure {
    fn from(message: S) -> Self {
        Failure::Wrong(message.into())
    }
}

impl Size {
    pub(crate) fn of<T>(self, full: T, quick: T, smoke: T) -> T {
        match self {
            Size::Full => full,
            Size::Quick => quick,
            Size::Smoke => smoke,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.of("full", "quick", "smoke")
    }

    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let all = [Size::Full, Size::Quick, Size::Smoke];
        all.into_iter().find(|size| size.name() == name).ok_or_else(|| format!("no size is called `{name}`"))
    }
}

pub(crate) fn metric(name: &str, value: f64, unit: &str) -> Metric {
    Metric { name: name.to_owned(), value, unit: unit.to_owned() }
}

pub(crate) fn micros(name: &str, time: Duration) -> Metric {
    metric(name, time.as_secs_f64() * 1e6, "us")
}

/// What each of `jobs` took, its share of everything that the process did.
pub(crate) fn per_job(lap: Lap, jobs: u64) -> Vec<Metric> {
    let share = |time: Duration| time.as_nanos() as f64 / jobs as f64;
    let mut metrics = vec![
        metric("wall", share(lap.wall), "ns/job"),
        metric("cpu", share(lap.cpu), "ns/job"),
        metric("switches", lap.switches as f64 / jobs as f64, "per job"),
    ];
    if let Some(count) = lap.allocated {
        metrics.push(metric("allocations", count.allocations as f64 / jobs as f64, "per job"));
        metrics.push(metric("allocated", count.bytes as f64 / jobs as f64, "B/job"));
    }
    metrics
}

/// Fails the run unless both are the same.
pub(crate) fn check<T: PartialEq + std::fmt::Debug>(what: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, where {expected:?} is right")) }
}
