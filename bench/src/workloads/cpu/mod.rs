//! What jobs compute: on their worker, or elsewhere. And what that does to small jobs with I/O beside them.

mod beside;
mod large;

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use millpond::{Class, Handle, JobOptions, Pool};

use super::Workload;
use super::steps::{compute, steps_in};
use crate::measure::{Case, Metric, Outcome, check, metric};
use crate::stopwatch::Stopwatch;
use beside::Beside;

pub(crate) use large::{Divided, LARGE, run as large};

const GRAINS: &[&str] = &["grain=10us", "grain=100us", "grain=1ms", "grain=10ms"];

/// As much computing as the CPUs give: what is queued never ends.
pub(crate) const FULL: Workload = Workload {
    workers: &[2],
    variants: GRAINS,
    ..Workload::new("cpu", "16 jobs at a time that compute, beside a small one with I/O every 1 ms")
};

/// Half of what two CPUs give, so that what waits waits for the pool and not for a CPU.
pub(crate) const LIGHT: Workload = Workload {
    workers: &[2],
    variants: GRAINS,
    ..Workload::new("cpu-light", "one job at a time that computes, beside a small one with I/O every 1 ms")
};

/// Eight a worker: none ever waits for the next to be sent.
const FULL_JOBS: usize = 16;

/// The part that is not measured: one in so many.
const WARM_UP_SHARE: u64 = 10;

/// Where a job computes.
pub(crate) trait Way: Clone + Send + Sync + 'static {
    /// Of the jobs that compute. Those beside them are interactive.
    const CLASS: Class = Class::Interactive;

    /// Beside a pool of so many workers.
    fn new(workers: usize) -> Self;

    /// Called in a job. `piece` is what there is to compute, on one thread.
    fn compute(&self, piece: impl FnOnce() -> u64 + Send + 'static) -> impl Future<Output = u64>;
}

/// All that a run shares.
struct Run<W> {
    way: W,
    /// With the class of the jobs that compute.
    pool: Handle,
    steps: u64,
    answer: u64,
    /// Pieces that nobody has taken.
    left: AtomicU64,
}

pub(crate) fn full<W: Way>(case: Case) -> Outcome {
    run::<W>(case, FULL_JOBS)
}

pub(crate) fn light<W: Way>(case: Case) -> Outcome {
    run::<W>(case, 1)
}

fn run<W: Way>(case: Case, jobs: usize) -> Outcome {
    let grain = grain(case.variant)?;
    let busy = case.workers.min(jobs) as u64;
    let second = Duration::from_millis(case.size.of(1_000, 300, 2));
    let pieces = (second.as_nanos() / grain.as_nanos()).max(1) as u64 * busy;
    let steps = steps_in(grain);
    let pool = Pool::builder().worker_threads(case.workers).build().map_err(|error| error.to_string())?;
    let way = W::new(case.workers);
    let run = |pieces| {
        let computing = pool.with_options(JobOptions::new().class(W::CLASS));
        let run = Run {
            way: way.clone(),
            pool: computing,
            steps,
            answer: compute(steps),
            left: AtomicU64::new(pieces),
        };
        all(&pool, &Arc::new(run), jobs)
    };
    run(pieces / WARM_UP_SHARE)?;
    let beside = Beside::start(pool.handle());
    let stopwatch = Stopwatch::start();
    run(pieces)?;
    let lap = stopwatch.stop();
    let ideal = grain * (pieces / busy) as u32;
    let mut metrics: Vec<Metric> = vec![
        metric("wall", lap.wall.as_secs_f64() / ideal.as_secs_f64(), "x ideal"),
        metric("cpu", lap.cpu.as_secs_f64() * 1e6 / pieces as f64, "us/job"),
        metric("switches", lap.switches as f64 / pieces as f64, "per job"),
    ];
    metrics.extend(beside.stop()?);
    Ok(metrics)
}

/// Runs all pieces, so many at a time, each in a job of its own that another one awaits.
fn all<W: Way>(pool: &Handle, run: &Arc<Run<W>>, jobs: usize) -> Result<(), String> {
    let feeding: Vec<_> = (0..jobs).map(|_| Arc::clone(run)).map(|run| pool.spawn(|| feed(run))).collect();
    for feeder in feeding {
        // Ended when no piece is left.
        feeder.join().map_err(|error| error.to_string())??;
    }
    Ok(())
}

async fn feed<W: Way>(run: Arc<Run<W>>) -> Result<(), String> {
    while run.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1)).is_ok() {
        let theirs = Arc::clone(&run);
        let job = run.pool.spawn(move || async move {
            let steps = theirs.steps;
            theirs.way.compute(move || compute(steps)).await
        });
        // Ended by the piece's end.
        check("the piece", job.await.map_err(|error| error.to_string())?, run.answer)?;
    }
    Ok(())
}

fn grain(variant: &str) -> Result<Duration, String> {
    match variant {
        "grain=10us" => Ok(Duration::from_micros(10)),
        "grain=100us" => Ok(Duration::from_micros(100)),
        "grain=1ms" => Ok(Duration::from_millis(1)),
        "grain=10ms" => Ok(Duration::from_millis(10)),
        other => Err(format!("no variant is called `{other}`")),
    }
}
