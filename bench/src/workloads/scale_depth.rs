//! How the cost of a job grows with the number of jobs queued: all workers are held, so many jobs are queued, then the
//! workers are let go and run them.

use std::time::Duration;

use super::counted::{all_since, count, counted};
use super::held::Held;
use super::job::Tally;
use super::{Workload, number_of};
use crate::measure::{Case, Failure, Outcome, check, metric, per_job};
use crate::memory::{available_bytes, resident_bytes};
use crate::pool::Pool;
use crate::stopwatch::{Lap, Stopwatch};

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[2],
    variants: &["depth=1000", "depth=10000", "depth=100000", "depth=1000000", "depth=10000000", DEEP],
    // Twice [`LIMIT`], and more where the machine has become slow since the trial.
    limit_seconds: |_| 150,
    most_runs: |case, _| match depth_of(case.variant) {
        Ok(depth) if depth > case.size.of(100_000_000, 1_000_000, 1_000) => 0,
        // Long enough to be an average in itself, and too long to be taken more often.
        Ok(10_000_000..) => 1,
        _ => usize::MAX,
    },
    ..Workload::new(
        "scale-depth",
        "so many jobs queued while all workers are held, then run: wall time a job",
    )
};

/// Only for contenders whose queue is cheap enough for it.
pub(crate) const DEEP: &str = "depth=100000000";

/// The part of the depth that is run first: it warms everything up, and tells whether the whole is possible.
const TRIAL_SHARE: u64 = 10;

/// Beyond it a contender is not measured: a child has no more than twice that.
const LIMIT: Duration = Duration::from_secs(60);

/// What must be free, to what is needed by the trial: queues grow in steps.
const SPARE: f64 = 1.25;

const GIB: f64 = (1u64 << 30) as f64;

/// The depth once queued and run, or several times.
#[derive(Clone, Copy, Debug)]
struct Rounds {
    jobs: u64,
    queue: Lap,
    run: Lap,
    /// In bytes: before the first, and the most while all jobs of a round were queued.
    resident_before: u64,
    resident_queued: u64,
}

pub(crate) fn run<P: Pool>(case: Case) -> Outcome {
    let depth = depth_of(case.variant)?;
    P::drive(case.workers, move |pool: P| async move {
        let trial = queue_and_run(&pool, case.workers, depth / TRIAL_SHARE).await?;
        trial.allows(depth)?;
        // A small depth takes less time than the kernel's time slices: many rounds of it.
        let enough = Duration::from_millis(case.size.of(100, 20, 0));
        let mut all = queue_and_run(&pool, case.workers, depth).await?;
        while all.queue.wall + all.run.wall < enough {
            all = all.and(queue_and_run(&pool, case.workers, depth).await?);
        }
        let share = |lap: Lap| lap.wall.as_nanos() as f64 / all.jobs as f64;
        let grown = all.resident_queued.saturating_sub(trial.resident_before);
        let mut metrics = per_job(all.queue + all.run, all.jobs);
        metrics.push(metric("queue", share(all.queue), "ns/job"));
        metrics.push(metric("run", share(all.run), "ns/job"));
        metrics.push(metric("memory", grown as f64 / depth as f64, "B/job"));
        Ok(metrics)
    })
}

async fn queue_and_run<P: Pool>(pool: &P, workers: usize, depth: u64) -> Result<Rounds, String> {
    let held = Held::all(pool, workers)?;
    let before = counted();
    let resident_before = resident_bytes()?;
    let stopwatch = Stopwatch::start();
    for index in 0..depth {
        pool.detach(move || count(index as i64));
    }
    let queue = stopwatch.stop();
    let resident_queued = resident_bytes()?;
    check("the jobs run while all workers are held", (counted() - before).jobs, 0)?;
    let stopwatch = Stopwatch::start();
    drop(held);
    let tally = all_since(pool, before, depth).await;
    let run = stopwatch.stop();
    check("the answers", tally, Tally::of_indices(depth))?;
    Ok(Rounds { jobs: depth, queue, run, resident_before, resident_queued })
}

impl Rounds {
    fn and(self, other: Rounds) -> Self {
        Rounds {
            jobs: self.jobs + other.jobs,
            queue: self.queue + other.queue,
            run: self.run + other.run,
            resident_before: self.resident_before,
            resident_queued: self.resident_queued.max(other.resident_queued),
        }
    }

    /// An error where `depth` cannot be measured, as far as these few jobs tell.
    fn allows(self, depth: u64) -> Result<(), Failure> {
        let times = depth as f64 / self.jobs as f64;
        let grown = self.resident_queued.saturating_sub(self.resident_before);
        let (needed, there) = (grown as f64 * times * SPARE, available_bytes()? as f64);
        if needed > there {
            let (needed, there) = (needed / GIB, there / GIB);
            return Err(Failure::Unable(format!("needs {needed:.1} GiB, {there:.1} are there")));
        }
        let time = (self.queue.wall + self.run.wall).mul_f64(times);
        if time > LIMIT {
            let (time, limit) = (time.as_secs(), LIMIT.as_secs());
            return Err(Failure::Unable(format!("would take {time} s, more than {limit}")));
        }
        Ok(())
    }
}

fn depth_of(variant: &str) -> Result<u64, String> {
    number_of(variant, "depth")
}
