//! The typed jobs of `channel`, each sent to the pool by itself and its handle dropped; workers count and sum. Beside them
//! the channels without a bound: what a job costs a pool, and what as a message.

use super::Workload;
use super::channel::{last_end, send_and_receive};
use super::counted::{all_since, count, counted};
use super::job::{self, Tally};
use super::room::Room;
use crate::alloc::Allocator;
use crate::channel::Channel;
use crate::measure::{Case, Outcome, Size, check, per_job};
use crate::pool::Pool;
use crate::stopwatch::Stopwatch;
use crate::syscalls::{COUNTED_SHARE, Syscalls};

pub(crate) const WORKLOAD: Workload = Workload {
    variants: &["", DEEP],
    allocator_matters: true,
    counts_allocations: true,
    most_runs: |case, allocator| match case.variant {
        // Long enough to be an average in itself, and too long to be taken for each setting.
        DEEP => usize::from(case.size == Size::Full && case.workers == 2 && allocator == Allocator::System),
        _ => usize::MAX,
    },
    limit_seconds: |case| if case.variant == DEEP { 150 } else { 30 },
    ..Workload::new("compute", "typed jobs, sent and not awaited: 2 M, or 100 M")
};

/// Only for contenders whose queue is cheap enough for it.
pub(crate) const DEEP: &str = "jobs=100M";

const WARM_UP_SHARE: u64 = 10;

pub(crate) fn jobs(case: Case) -> u64 {
    if case.variant == DEEP { 100_000_000 } else { case.size.of(2_000_000, 1_000_000, 500) }
}

pub(crate) fn pool<P: Pool>(case: Case) -> Outcome {
    let jobs = jobs(case);
    let room = Room::before_warm_up()?;
    P::drive(case.workers, move |pool: P| async move {
        send_and_count(&pool, jobs / WARM_UP_SHARE).await?;
        room.check(jobs / WARM_UP_SHARE, jobs)?;
        let stopwatch = Stopwatch::start();
        send_and_count(&pool, jobs).await?;
        let mut metrics = per_job(stopwatch.stop(), jobs);
        let syscalls = Syscalls::count();
        send_and_count(&pool, jobs / COUNTED_SHARE).await?;
        metrics.extend(syscalls.per_job(jobs / COUNTED_SHARE));
        Ok(metrics)
    })
}

pub(crate) fn channel<C: Channel>(case: Case) -> Outcome {
    let jobs = jobs(case);
    let room = Room::before_warm_up()?;
    send_and_receive::<C, _>(case.workers, None, jobs / WARM_UP_SHARE, || ())?;
    room.check(jobs / WARM_UP_SHARE, jobs)?;
    let (stopwatch, loops) = send_and_receive::<C, _>(case.workers, None, jobs, Stopwatch::start)?;
    Ok(per_job(stopwatch.stop_at(last_end(&loops)?), jobs))
}

async fn send_and_count<P: Pool>(pool: &P, jobs: u64) -> Result<(), String> {
    let before = counted();
    for job in job::jobs(jobs) {
        pool.detach(move || count(job.answer()));
    }
    check("the answers", all_since(pool, before, jobs).await, Tally::expected(jobs))
}
