//! Jobs of which a few are very long, sent all at once in random order: how far the last one's end is from the earliest
//! that any schedule could reach.
//!
//! The bound is measured in the same process: plain threads, as many as there are workers and bound as they are, compute
//! half of the jobs before the pool does and the other half after it. That gives the time of one iteration with all of
//! those CPUs at work, as they share clocks and caches, and it gives the answers that are right.

mod job;
mod shares;

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Instant;

use futures_channel::oneshot;

use super::Workload;
use crate::measure::{Case, Outcome, check, metric};
use crate::pool::Pool;
use crate::stopwatch::{Lap, Stopwatch};
pub(crate) use job::Job;
use job::{Kind, jobs};
pub(crate) use shares::compute_shares;

pub(crate) const CPU: Workload = Workload {
    workers: &[2],
    fewest_workers: 2,
    allocator_matters: true,
    ..Workload::new("skew", "2,700 jobs a worker that compute for 20 us to 17 ms, sent at once")
};

pub(crate) const IO: Workload = Workload {
    workers: &[2],
    fewest_workers: 2,
    allocator_matters: true,
    ..Workload::new("skew-io", "the jobs of skew, each of which first waits for 1 to 30 ms")
};

/// One part in so many of the jobs is sent first, without its computation: threads, queues and timers are warm then.
const WARM_UP_SHARE: usize = 10;

pub(crate) fn cpu<P: Pool>(case: Case) -> Outcome {
    pool::<P>(case, Kind::Cpu)
}

pub(crate) fn io<P: Pool>(case: Case) -> Outcome {
    pool::<P>(case, Kind::Io)
}

fn pool<P: Pool>(case: Case, kind: Kind) -> Outcome {
    beside_the_bound(case, kind, |jobs| {
        P::drive(case.workers, move |pool: P| async move {
            let warm_up = jobs.iter().take(jobs.len() / WARM_UP_SHARE);
            send(&pool, kind, warm_up.map(Job::without_computation).collect()).await?;
            send(&pool, kind, jobs).await
        })
    })
}

/// The jobs of `skew`, computed by `part` in any way: what it took, and the sum of the answers.
pub(crate) fn limit(case: Case, part: impl FnOnce(&[Job]) -> (Lap, u64)) -> Outcome {
    beside_the_bound(case, Kind::Cpu, |jobs| Ok(part(&jobs)))
}

fn beside_the_bound(
    case: Case,
    kind: Kind,
    part: impl FnOnce(Vec<Job>) -> Result<(Lap, u64), String>,
) -> Outcome {
    let jobs = jobs(kind, case);
    let (first, second) = jobs.split_at(jobs.len() / 2);
    let before = compute_shares(first, case.workers);
    let (lap, sum) = part(jobs.clone())?;
    let after = compute_shares(second, case.workers);
    check("the sum of the answers", sum, before.sum.wrapping_add(after.sum))?;
    let iteration = (before.iteration_seconds + after.iteration_seconds) / 2.0;
    let makespan = lap.wall.as_secs_f64();
    Ok(vec![
        metric("makespan", makespan / bound_seconds(&jobs, case.workers, iteration), "of bound"),
        metric("wall", makespan * 1e3, "ms"),
        metric("cpu", lap.cpu.as_secs_f64() * 1e3, "ms"),
    ])
}

/// No schedule is shorter: one job takes as long as it does, and jobs that cannot begin before some time share out no
/// better than evenly from then on.
fn bound_seconds(jobs: &[Job], workers: usize, iteration_seconds: f64) -> f64 {
    let mut jobs = jobs.to_vec();
    jobs.sort_unstable_by_key(|job| std::cmp::Reverse(job.wait));
    let (mut bound, mut later_seconds) = (0f64, 0f64);
    for job in jobs {
        let (wait, length) = (job.wait.as_secs_f64(), job.iterations as f64 * iteration_seconds);
        later_seconds += length;
        bound = bound.max(wait + length).max(wait + later_seconds / workers as f64);
    }
    bound
}

/// Counts the jobs that have not ended, and tells the driver of the last one's end. The driver sleeps until then: woken
/// by each job, it would take the workers' CPUs from them.
#[derive(Debug)]
struct Finish {
    unfinished: AtomicUsize,
    last: Mutex<Option<oneshot::Sender<Instant>>>,
}

impl Finish {
    /// Relaxed: the count says only who is last; the answers come by the handles.
    fn count(&self) {
        if self.unfinished.fetch_sub(1, Relaxed) == 1 {
            let last = self.last.lock().expect("nothing panics under the lock").take();
            // Nobody listens once the driver has failed.
            let _ = last.map(|last| last.send(Instant::now()));
        }
    }
}

/// Sends all jobs. What it took until the last one's end, and the sum of the answers.
async fn send<P: Pool>(pool: &P, kind: Kind, jobs: Vec<Job>) -> Result<(Lap, u64), String> {
    let (last, end) = oneshot::channel();
    let finish = Finish { unfinished: AtomicUsize::new(jobs.len()), last: Mutex::new(Some(last)) };
    let finish = Arc::new(finish);
    let mut handles = Vec::with_capacity(jobs.len());
    let stopwatch = Stopwatch::start();
    for job in jobs {
        let finish = Arc::clone(&finish);
        let work = move || {
            let answer = job.compute();
            finish.count();
            answer
        };
        handles.push(match kind {
            Kind::Cpu => pool.spawn(work),
            Kind::Io => pool.spawn_after(job.wait, work),
        });
    }
    drop(finish);
    // Ended by the last job, or by the drop of a job that never ran.
    let end = end.await.map_err(|_| "a job was dropped")?;
    let lap = stopwatch.stop_at(end);
    let mut sum = 0u64;
    for handle in handles {
        // Over already, or nearly: its job has counted.
        sum = sum.wrapping_add(P::join(handle).await);
    }
    Ok((lap, sum))
}
