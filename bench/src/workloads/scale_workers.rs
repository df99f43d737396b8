//! How the cost of a job grows with the number of workers, one driver sending: `spawn-join` with fewer jobs.

use super::{Workload, spawn_join};
use crate::measure::{Case, Outcome};
use crate::pool::Pool;

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[1, 2, 4, 8, 16],
    ..Workload::new("scale-workers", "100,000 trivial jobs, every handle kept and then awaited")
};

pub(crate) fn run<P: Pool>(case: Case) -> Outcome {
    let jobs = case.size.of(100_000, 50_000, 500);
    P::drive(case.workers, move |pool: P| async move { spawn_join::measure(&pool, jobs).await })
}
