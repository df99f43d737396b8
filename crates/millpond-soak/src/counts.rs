//! The pool's counts, held against each other while it works, and against the receipt in the end.

use millpond::{
    Handle, Receipt,
    metrics::{JobCounts, Metrics},
};
use std::{
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
    time::Duration,
};

/// Between two looks, so that the looks leave the CPU to what they look at.
const BETWEEN_US: u64 = 200;

/// Looks again and again until the round is over. What it finds wrong ends it.
pub(crate) fn observe(pool: &Handle, over: &AtomicBool) -> Option<String> {
    let mut before = pool.metrics().jobs;
    while !over.load(SeqCst) {
        let metrics = pool.metrics();
        let wrong = sums(&metrics).or_else(|| went_down(&before, &metrics.jobs));
        if wrong.is_some() {
            return wrong;
        }
        before = metrics.jobs;
        thread::sleep(Duration::from_micros(BETWEEN_US));
    }
    None
}

/// Once the pool has ended.
pub(crate) fn of_the_end(metrics: &Metrics, receipt: &Receipt) -> Option<String> {
    let jobs = &metrics.jobs;
    let counted = [jobs.completed, jobs.panicked, jobs.aborted, jobs.cut_off, jobs.never_started];
    let told = [receipt.completed, receipt.panicked, receipt.aborted, receipt.cut_off, receipt.never_started];
    let fits = counted == told && jobs.accepted == receipt.accepted() && jobs.queued + jobs.tasks == 0;
    sums(metrics).or_else(|| (!fits).then(|| format!("{jobs:?} at the end, and {receipt:?}")))
}

fn sums(metrics: &Metrics) -> Option<String> {
    let parts = [&metrics.jobs, &metrics.blocking, &metrics.block_on];
    let wrong = parts.into_iter().find(|jobs| jobs.accepted != jobs.queued + jobs.tasks + jobs.ended());
    wrong.map(|jobs| format!("{jobs:?} do not add up"))
}

fn went_down(before: &JobCounts, after: &JobCounts) -> Option<String> {
    let fits = before.accepted <= after.accepted
        && before.started <= after.started
        && before.completed <= after.completed
        && before.ended() <= after.ended();
    (!fits).then(|| format!("{before:?} became {after:?}"))
}
