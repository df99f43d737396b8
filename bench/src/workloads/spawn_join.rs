//! Trivial jobs: one driver sends them all, keeps every handle, then awaits each. Costs of the pool and nothing else.

use super::Workload;
use crate::measure::{Case, Outcome, check, metric, per_job};
use crate::pool::Pool;
use crate::stopwatch::{Lap, Stopwatch};
use crate::syscalls::{COUNTED_SHARE, Syscalls};

pub(crate) const WORKLOAD: Workload = Workload {
    allocator_matters: true,
    counts_allocations: true,
    ..Workload::new("spawn-join", "1 M trivial jobs, every handle kept and then awaited")
};

/// One part in so many of the jobs runs first, unmeasured: threads, caches and the allocator's arenas are warm then.
const WARM_UP_SHARE: u64 = 10;

pub(crate) fn jobs(case: Case) -> u64 {
    case.size.of(1_000_000, 200_000, 500)
}

pub(crate) fn run<P: Pool>(case: Case) -> Outcome {
    let jobs = jobs(case);
    P::drive(case.workers, move |pool: P| async move { measure(&pool, jobs).await })
}

pub(super) async fn measure<P: Pool>(pool: &P, jobs: u64) -> Outcome {
    spawn_and_join(pool, jobs / WARM_UP_SHARE).await?;
    let stopwatch = Stopwatch::start();
    let spawned = spawn_and_join(pool, jobs).await?;
    let mut metrics = per_job(stopwatch.stop(), jobs);
    let spawning = spawned.wall.as_nanos() as f64 / jobs as f64;
    metrics.push(metric("spawn", spawning, "ns/job"));
    let syscalls = Syscalls::count();
    spawn_and_join(pool, jobs / COUNTED_SHARE).await?;
    metrics.extend(syscalls.per_job(jobs / COUNTED_SHARE));
    Ok(metrics)
}

/// Returns what the sending alone took.
pub(super) async fn spawn_and_join<P: Pool>(pool: &P, jobs: u64) -> Result<Lap, String> {
    let stopwatch = Stopwatch::start();
    let mut handles = Vec::with_capacity(jobs as usize);
    for index in 0..jobs {
        handles.push(pool.spawn(move || answer(index)));
    }
    let spawned = stopwatch.stop();
    let mut sum = 0u64;
    for handle in handles {
        // Ended by the job's end.
        sum = sum.wrapping_add(P::join(handle).await);
    }
    check("the sum of the results", sum, (0..jobs).map(answer).fold(0, u64::wrapping_add))?;
    Ok(spawned)
}

/// Not a constant to the compiler, and cheap.
pub(crate) fn answer(index: u64) -> u64 {
    index.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index >> 7)
}
