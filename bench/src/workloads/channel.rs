//! Typed jobs through a channel: one driver sends, a loop on each worker receives, computes and sums.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use super::Workload;
use super::job::{self, Job, Tally};
use crate::channel::{Channel, Host, Receiver};
use crate::measure::{Case, Outcome, check, metric, per_job};
use crate::stopwatch::Stopwatch;
use crate::syscalls::{COUNTED_SHARE, Syscalls};

pub(crate) const WORKLOAD: Workload = Workload {
    variants: &["capacity=1024", "capacity=unbounded"],
    counts_allocations: true,
    ..Workload::new("channel", "2 M typed jobs from one driver to a receiving loop on each worker")
};

const WARM_UP_SHARE: u64 = 10;

pub(crate) fn jobs(case: Case) -> u64 {
    case.size.of(2_000_000, 1_000_000, 500)
}

pub(crate) fn run<C: Channel>(case: Case) -> Outcome {
    let jobs = jobs(case);
    let capacity = match case.variant {
        "capacity=1024" => Some(1024),
        "capacity=unbounded" => None,
        other => return Err(format!("no variant is called `{other}`").into()),
    };
    send_and_receive::<C, _>(case.workers, capacity, jobs / WARM_UP_SHARE, || ())?;
    let (stopwatch, loops) = send_and_receive::<C, _>(case.workers, capacity, jobs, Stopwatch::start)?;
    let mut metrics = per_job(stopwatch.stop_at(last_end(&loops)?), jobs);
    let most = loops.iter().map(|(tally, _)| tally.jobs).max().unwrap_or_default();
    metrics.push(metric("busiest", most as f64 * case.workers as f64 / jobs as f64, "of fair share"));
    let counted = jobs / COUNTED_SHARE;
    let (syscalls, _) = send_and_receive::<C, _>(case.workers, capacity, counted, Syscalls::count)?;
    metrics.extend(syscalls.per_job(counted));
    Ok(metrics)
}

/// Returns what `start` made where the sending began, and what each loop did until when.
pub(super) fn send_and_receive<C: Channel, S>(
    workers: usize,
    capacity: Option<usize>,
    jobs: u64,
    start: fn() -> S,
) -> Result<(S, Vec<(Tally, Instant)>), String> {
    let (sender, receiver) = C::open::<Job>(capacity);
    let work = move |_| receive::<C>(receiver.clone());
    let (started, loops) = C::Host::run(workers, work, move || {
        let started = start();
        for job in job::jobs(jobs) {
            C::send(&sender, job);
        }
        // The sender ends here, and with it the loops.
        started
    });
    let sum = loops.iter().fold(Tally::default(), |sum, (tally, _)| sum + *tally);
    check("the answers", sum, Tally::expected(jobs))?;
    Ok((started, loops))
}

pub(super) fn last_end(loops: &[(Tally, Instant)]) -> Result<Instant, String> {
    loops.iter().map(|(_, end)| *end).max().ok_or("no worker ran".to_owned())
}

/// A worker's loop: what it has computed, and when it ended.
async fn receive<C: Channel>(receiver: Receiver<C, Job>) -> (Tally, Instant) {
    let tally = Rc::new(Cell::new(Tally::default()));
    let ours = Rc::clone(&tally);
    // Ended by the drop of the last sender, when the channel is empty.
    C::receive(receiver, move |job: Job| {
        let mut tally = ours.get();
        tally.count(job.answer());
        ours.set(tally);
    })
    .await;
    (tally.get(), Instant::now())
}
