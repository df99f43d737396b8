//! Jobs that only wait: whether a worker with many of them still takes more than its share.

use std::collections::HashMap;
use std::thread::{self, ThreadId};
use std::time::Duration;

use super::Workload;
use crate::measure::{Case, Outcome, check, metric};
use crate::pool::Pool;
use crate::stopwatch::Stopwatch;

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[2, 4, 8],
    fewest_workers: 2,
    ..Workload::new("spread", "10,000 jobs that sleep 10 ms: the busiest worker's share, and the makespan")
};

const PAUSE: Duration = Duration::from_millis(10);

pub(crate) fn run<P: Pool>(case: Case) -> Outcome {
    let jobs = case.size.of(10_000, 10_000, 200);
    P::drive(case.workers, move |pool: P| async move {
        // Unmeasured, so that all workers are up and their timers have been used.
        P::join(pool.spawn_after(PAUSE, || ())).await;
        let stopwatch = Stopwatch::start();
        let handles: Vec<_> = (0..jobs).map(|_| pool.spawn_after(PAUSE, || thread::current().id())).collect();
        let mut shares: HashMap<ThreadId, usize> = HashMap::new();
        for handle in handles {
            // Ended by the job's end.
            *shares.entry(P::join(handle).await).or_default() += 1;
        }
        let lap = stopwatch.stop();
        check("the jobs that ran", shares.values().sum::<usize>(), jobs)?;
        let most = shares.values().copied().max().unwrap_or_default();
        Ok(vec![
            metric("busiest", (most * case.workers) as f64 / jobs as f64, "of fair share"),
            metric("makespan", lap.wall.as_secs_f64() * 1e3, "ms"),
            metric("cpu", lap.cpu.as_secs_f64() * 1e9 / jobs as f64, "ns/job"),
        ])
    })
}
