//! Typed jobs through a channel: one driver sends, a loop on each worker receives, computes and sums.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use super::Workload;
use super::job::{self, Job, Tally};
use crate::channel::{Channel, Host, Receiver};
use crate::measure::{Case, Outcome, check, metric, per_job};
use crate::stopwatch::{Lap, Stopwatch};

pub(crate) const WORKLOAD: Workload = Workload {
    variants: &["capacity=1024", "capacity=unbounded"],
    counts_allocations: true,
    ..Workload::new("channel", "5 M typed jobs from one driver to a receiving loop on each worker")
};

const WARM_UP_SHARE: u64 = 10;

pub(crate) fn jobs(case: Case) -> u64 {
    case.size.of(5_000_000, 1_000_000, 500)
}

pub(crate) fn run<C: Channel>(case: Case) -> Outcome {
    let jobs = jobs(case);
    let capacity = match case.variant {
        "capacity=1024" => Some(1024),
        "capacity=unbounded" => None,
        other => return Err(format!("no variant is called `{other}`").into()),
    };
    send_and_receive::<C>(case.workers, capacity, jobs / WARM_UP_SHARE)?;
    let (lap, tallies) = send_and_receive::<C>(case.workers, capacity, jobs)?;
    let mut metrics = per_job(lap, jobs);
    let most = tallies.iter().map(|tally| tally.jobs).max().unwrap_or_default();
    metrics.push(metric("busiest", most as f64 * case.workers as f64 / jobs as f64, "of fair share"));
    Ok(metrics)
}

/// What it took until the last loop had ended, and each loop's tally, checked in sum.
pub(super) fn send_and_receive<C: Channel>(
    workers: usize,
    capacity: Option<usize>,
    jobs: u64,
) -> Result<(Lap, Vec<Tally>), String> {
    let (sender, receiver) = C::open::<Job>(capacity);
    let work = move |_| receive::<C>(receiver.clone());
    let (stopwatch, ended) = C::Host::run(workers, work, move || {
        let stopwatch = Stopwatch::start();
        for job in job::jobs(jobs) {
            C::send(&sender, job);
        }
        // The sender ends here, and with it the loops.
        stopwatch
    });
    let last = ended.iter().map(|(_, end)| *end).max().ok_or("no worker ran")?;
    let lap = stopwatch.stop_at(last);
    let tallies: Vec<Tally> = ended.into_iter().map(|(tally, _)| tally).collect();
    let sum = tallies.iter().fold(Tally::default(), |sum, tally| sum + *tally);
    check("the answers", sum, Tally::expected(jobs))?;
    Ok((lap, tallies))
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
