//! How the cost of a job grows with the number of threads that send jobs at the same time.

use std::sync::{Arc, Barrier};
use std::thread;

use super::counted::{all_since, count, counted};
use super::job::Tally;
use super::{Workload, number_of};
use crate::measure::{Case, Outcome, check, per_job};
use crate::pool::Pool;
use crate::stopwatch::Stopwatch;
use crate::syscalls::{COUNTED_SHARE, Syscalls};

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[2],
    variants: &["producers=1", "producers=2", "producers=4", "producers=8", "producers=16"],
    ..Workload::new(
        "scale-producers",
        "400,000 trivial jobs in all, from so many plain threads at the same time",
    )
};

const WARM_UP_SHARE: u64 = 10;

pub(crate) fn run<P: Pool>(case: Case) -> Outcome {
    let producers = number_of(case.variant, "producers")?;
    // Each, and a tenth of each, is a multiple of all numbers of producers.
    let jobs = case.size.of(400_000, 100_000, 1_600);
    P::drive(case.workers, move |pool: P| async move {
        send_and_count(&pool, producers, jobs / WARM_UP_SHARE, || ()).await?;
        let stopwatch = send_and_count(&pool, producers, jobs, Stopwatch::start).await?;
        let mut metrics = per_job(stopwatch.stop(), jobs);
        let syscalls = send_and_count(&pool, producers, jobs / COUNTED_SHARE, Syscalls::count).await?;
        metrics.extend(syscalls.per_job(jobs / COUNTED_SHARE));
        Ok(metrics)
    })
}

/// Returns what `start` made when all producers were up and none had sent.
async fn send_and_count<P: Pool, S>(
    pool: &P,
    producers: u64,
    jobs: u64,
    start: fn() -> S,
) -> Result<S, String> {
    let before = counted();
    let all = Arc::new(Barrier::new(producers as usize + 1));
    let share = jobs / producers;
    let threads: Vec<_> = (0..producers)
        .map(|producer| {
            let (pool, all) = (pool.clone(), Arc::clone(&all));
            thread::spawn(move || {
                // Ended by the last producer to come up; then by the driver's start.
                all.wait();
                all.wait();
                for index in producer * share..(producer + 1) * share {
                    pool.detach(move || count(index as i64));
                }
            })
        })
        .collect();
    // Ended by the last producer to come up; then at once.
    all.wait();
    let started = start();
    all.wait();
    for thread in threads {
        // Ended by the producer's last send.
        thread.join().map_err(|_| "a producer panicked")?;
    }
    check("the answers", all_since(pool, before, jobs).await, Tally::of_indices(jobs))?;
    Ok(started)
}
