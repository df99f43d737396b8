//! A pool that has worked and now has nothing to do: what it uses all the same.

use std::thread;
use std::time::Duration;

use super::Workload;
use super::spawn_join::spawn_and_join;
use crate::measure::{Case, Outcome, metric};
use crate::memory::resident_bytes;
use crate::pool::Pool;
use crate::stopwatch::Stopwatch;

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[2],
    ..Workload::new(
        "idle",
        "a pool with nothing to do for 1 s, after 100,000 jobs and 20 small bursts: CPU used",
    )
};

/// A waker that wakes its own receiver for ever is one that was left over by bursts such as these.
const SMALL_BURSTS: usize = 20;
const SMALL_BURST_JOBS: u64 = 10;

/// Between two small bursts: long enough for any worker to fall asleep.
const REST: Duration = Duration::from_millis(1);

pub(crate) fn run<P: Pool>(case: Case) -> Outcome {
    let jobs = case.size.of(100_000, 100_000, 500);
    let pause = Duration::from_millis(case.size.of(1_000, 200, 5));
    P::drive(case.workers, move |pool: P| async move {
        spawn_and_join(&pool, jobs).await?;
        for _ in 0..SMALL_BURSTS {
            thread::sleep(REST);
            spawn_and_join(&pool, SMALL_BURST_JOBS).await?;
        }
        let resident = resident_bytes()?;
        let stopwatch = Stopwatch::start();
        thread::sleep(pause);
        let lap = stopwatch.stop();
        let grown = resident_bytes()?.saturating_sub(resident);
        let seconds = lap.wall.as_secs_f64();
        Ok(vec![
            metric("cpu", lap.cpu.as_secs_f64() * 1e6 / seconds, "us/s"),
            metric("memory", grown as f64 / 1024.0, "KiB"),
            metric("switches", lap.switches as f64 / seconds, "per s"),
        ])
    })
}
