//! Pools that have something to show.

use std::thread;
use std::time::Duration;

use millpond::{JobOptions, Pool, Stall};
use millpond_dashboard::Dashboard;

use crate::common;

/// A pool and its dashboard, in the order in which they are to be dropped.
pub(crate) struct Shown {
    pub(crate) dashboard: Dashboard,
    pub(crate) pool: Pool,
}

pub(crate) fn show(workers: usize) -> Shown {
    let pool = common::builder(workers).driver(common::io_drivers()[0]).build().expect("a pool starts");
    let dashboard = Dashboard::builder().name("the mill").serve(&pool, "127.0.0.1:0");
    Shown { dashboard: dashboard.expect("a dashboard starts"), pool }
}

/// A worker is held for longer than the threshold, by a job of this name.
pub(crate) fn stall(pool: &Pool, name: &'static str) {
    let (counted, listed) = (stalls(pool), pool.stalls().len());
    let named = pool.with_options(JobOptions::new().name(name));
    // The watch sees a stall while it lasts, if it gets a CPU meanwhile.
    while stalls(pool) == counted {
        named.spawn(|| async { grind(Duration::from_millis(60)) }).join().expect("it ends");
    }
    // Ended by the watch, which lists what it has counted once it has the backtrace. No test has as many as there is room for.
    while pool.stalls().len() == listed {
        thread::yield_now();
    }
}

/// The same, until the newest comes with a backtrace: a thread that gets no CPU does not answer in time.
pub(crate) fn stall_with_backtrace(pool: &Pool, name: &'static str) -> Stall {
    loop {
        stall(pool, name);
        let newest = pool.stalls().pop().expect("there was one just now");
        if newest.backtrace.is_some() {
            return newest;
        }
    }
}

fn stalls(pool: &Pool) -> u64 {
    pool.metrics().workers.iter().map(|worker| worker.stalls).sum()
}

#[inline(never)]
fn grind(time: Duration) {
    thread::sleep(time);
}

/// Jobs that end in each way.
pub(crate) fn some_of_each(pool: &Pool) {
    let quiet = || async { std::panic::resume_unwind(Box::new("told to")) };
    let done: Vec<_> = (0..1_234).map(|_| pool.spawn(|| async {})).collect();
    let panicked: Vec<_> = (0..3).map(|_| pool.spawn(quiet)).collect();
    let aborted: Vec<_> = (0..2).map(|_| pool.spawn(std::future::pending::<()>)).collect();
    let blocking: Vec<_> = (0..7).map(|_| pool.spawn_blocking(|| {})).collect();
    aborted.iter().for_each(|job| job.abort());
    done.into_iter().for_each(|job| job.join().expect("it ends"));
    panicked.into_iter().for_each(|job| assert!(job.join().is_err()));
    aborted.into_iter().for_each(|job| assert!(job.join().is_err()));
    blocking.into_iter().for_each(|job| job.join().expect("it ends"));
}
