//! One large piece of work at a time that can be divided: who uses all CPUs for it, and what small jobs see of that.

use std::future::Future;
use std::time::Duration;

use millpond::Pool;

use super::beside::Beside;
use crate::measure::{Case, Outcome, check, metric};
use crate::stopwatch::Stopwatch;
use crate::workloads::Workload;
use crate::workloads::steps::{compute, steps_in};

pub(crate) const LARGE: Workload = Workload {
    workers: &[2],
    ..Workload::new(
        "cpu-large",
        "a job with 100 ms of computing that can be divided, ten times, beside small ones",
    )
};

/// What is not worth dividing further.
const PART: Duration = Duration::from_micros(100);

/// How a job has a large piece computed.
pub(crate) trait Divided: Clone + Send + 'static {
    /// Beside a pool of so many workers.
    fn new(workers: usize) -> Self;

    /// Called in a job: the sum of `part` of each number below `parts`.
    fn sum(
        &self,
        parts: u64,
        part: impl Fn(u64) -> u64 + Copy + Send + Sync + 'static,
    ) -> impl Future<Output = u64>;
}

pub(crate) fn run<W: Divided>(case: Case) -> Outcome {
    let (pieces, parts): (u32, u64) = case.size.of((10, 1_000), (3, 1_000), (1, 4));
    let steps = steps_in(PART);
    let part = move |number: u64| compute(steps) ^ number;
    let answer = (0..parts).fold(0, |sum: u64, number| sum.wrapping_add(part(number)));
    let pool = Pool::builder().worker_threads(case.workers).build().map_err(|error| error.to_string())?;
    let way = W::new(case.workers);
    let one = || {
        let way = way.clone();
        let job = pool.spawn(move || async move { way.sum(parts, part).await });
        // Ended by the piece's end.
        check("the sum", job.join().map_err(|error| error.to_string())?, answer)
    };
    one()?;
    let beside = Beside::start(pool.handle());
    let stopwatch = Stopwatch::start();
    for _ in 0..pieces {
        one()?;
    }
    let lap = stopwatch.stop();
    let ideal = PART.as_secs_f64() * parts as f64 * f64::from(pieces) / case.workers as f64;
    let mut metrics = vec![
        metric("wall", lap.wall.as_secs_f64() / ideal, "x ideal"),
        metric("cpu", lap.cpu.as_secs_f64() * 1e3 / f64::from(pieces), "ms/job"),
        metric("switches", lap.switches as f64 / f64::from(pieces), "per job"),
    ];
    metrics.extend(beside.stop()?);
    Ok(metrics)
}
