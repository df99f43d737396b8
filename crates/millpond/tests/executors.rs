//! A JoinHandle can be awaited on an executor that is not the pool's. The wake then comes from a worker.
//!
//! `foreign_wakes` has the bare `block_on` and the blocking `join()`.

#[path = "common/channels.rs"]
#[allow(dead_code)] // Only its join handles.
mod channels;
mod common;

use channels::Waiter;
use common::{pool, unhung};
use std::thread;

/// Awaits jobs of a pool by way of `awaiting`, each job ending only once its handle has been polled.
fn handles_wake(name: &str, awaiting: impl FnOnce(Waiter)) {
    unhung(name, || {
        let pool = pool(2);
        let (waiter, feeder) = channels::join_handles(&pool).lockstep();
        thread::scope(|scope| {
            // Ended by the drop of the waiting future.
            scope.spawn(feeder);
            awaiting(waiter);
        });
    });
}

#[test]
fn a_join_handle_wakes_a_task_of_tokio() {
    handles_wake("tokio's task", |waiter| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async { tokio::spawn(waiter()).await.unwrap() });
    });
}

#[test]
fn a_join_handle_wakes_the_block_on_of_tokio() {
    handles_wake("tokio's block_on", |waiter| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(waiter());
    });
}

/// Its wakers reach across threads with `sync` only, which this crate's default features turn on for it.
#[cfg(feature = "sync")]
#[test]
fn a_join_handle_wakes_a_bare_monoio() {
    handles_wake("monoio's root", |waiter| {
        let mut runtime = monoio::RuntimeBuilder::<monoio::FusionDriver>::new().build().unwrap();
        runtime.block_on(waiter());
    });
    handles_wake("monoio's task", |waiter| {
        let mut runtime = monoio::RuntimeBuilder::<monoio::FusionDriver>::new().build().unwrap();
        runtime.block_on(async { monoio::spawn(waiter()).await });
    });
}
