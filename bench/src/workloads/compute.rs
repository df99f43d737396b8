//! The typed jobs of `channel`, each sent to the pool by itself and its handle dropped; workers count and sum.

use super::Workload;
use super::counted::{all_since, count, counted};
use super::job::{self, Tally};
use crate::measure::{Case, Outcome, check, per_job};
use crate::pool::Pool;
use crate::stopwatch::Stopwatch;

pub(crate) const WORKLOAD: Workload = Workload {
    allocator_matters: true,
    counts_allocations: true,
    ..Workload::new("compute", "5 M typed jobs, sent and not awaited")
};

const WARM_UP_SHARE: u64 = 10;

pub(crate) fn run<P: Pool>(case: Case) -> Outcome {
    let jobs = case.size.of(5_000_000, 1_000_000, 500);
    P::drive(case.workers, move |pool: P| async move {
        send_and_count(&pool, jobs / WARM_UP_SHARE).await?;
        let stopwatch = Stopwatch::start();
        send_and_count(&pool, jobs).await?;
        Ok(per_job(stopwatch.stop(), jobs))
    })
}

async fn send_and_count<P: Pool>(pool: &P, jobs: u64) -> Result<(), String> {
    let before = counted();
    for job in job::jobs(jobs) {
        pool.detach(move || count(job.answer()));
    }
    check("the answers", all_since(pool, before, jobs).await, Tally::expected(jobs))
}
