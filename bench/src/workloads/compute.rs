//! The typed jobs of `channel`, each sent to the pool by itself and its handle dropped; workers count and sum.

use std::cell::OnceCell;
use std::sync::atomic::{
    AtomicI64, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Mutex};

use super::Workload;
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

/// One thread's tally. Written by that thread alone, so without a lock; padded, so without sharing a line.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Slot {
    jobs: AtomicU64,
    sum: AtomicI64,
}

static SLOTS: Mutex<Vec<Arc<Slot>>> = Mutex::new(Vec::new());

thread_local! {
    static SLOT: OnceCell<Arc<Slot>> = const { OnceCell::new() };
}

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
    while (counted() - before).jobs < jobs {
        // Ended by the job's end, which comes after those of all jobs before it, or nearly.
        P::join(pool.spawn(|| ())).await;
    }
    check("the answers", counted() - before, Tally::expected(jobs))
}

fn count(answer: i64) {
    SLOT.with(|slot| {
        let slot = slot.get_or_init(|| {
            let slot = Arc::<Slot>::default();
            SLOTS.lock().expect("nothing panics under the lock").push(Arc::clone(&slot));
            slot
        });
        slot.sum.store(slot.sum.load(Relaxed).wrapping_add(answer), Relaxed);
        slot.jobs.store(slot.jobs.load(Relaxed) + 1, Release);
    });
}

fn counted() -> Tally {
    let slots = SLOTS.lock().expect("nothing panics under the lock");
    slots.iter().fold(Tally::default(), |tally, slot| {
        let jobs = slot.jobs.load(Acquire);
        tally + Tally { jobs, sum: slot.sum.load(Relaxed) }
    })
}
