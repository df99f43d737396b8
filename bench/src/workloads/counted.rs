//! Jobs that nobody awaits, counted and summed by the threads that run them.

use std::cell::OnceCell;
use std::sync::atomic::{
    AtomicI64, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Mutex};

use super::job::Tally;
use crate::pool::Pool;

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

/// Called by each job, as the last that it does.
pub(super) fn count(answer: i64) {
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

/// All up to now. What a counted job wrote before is seen by the caller.
pub(super) fn counted() -> Tally {
    let slots = SLOTS.lock().expect("nothing panics under the lock");
    slots.iter().fold(Tally::default(), |tally, slot| {
        let jobs = slot.jobs.load(Acquire);
        tally + Tally { jobs, sum: slot.sum.load(Relaxed) }
    })
}

/// Waits until `jobs` have been counted since `before`, and returns their tally.
pub(super) async fn all_since<P: Pool>(pool: &P, before: Tally, jobs: u64) -> Tally {
    while (counted() - before).jobs < jobs {
        // Ended by the job's end, which comes after those of all jobs before it, or nearly.
        P::join(pool.spawn(|| ())).await;
    }
    counted() - before
}
