//! A JoinHandle can be awaited on an executor that is not the pool's. The wake then comes from a worker. And the other way
//! about: a job awaits a task of another executor, which wakes it from there.
//!
//! `foreign_wakes` has the bare `block_on` and the blocking `join()`.

#[path = "common/channels.rs"]
#[allow(dead_code)] // Only its join handles.
mod channels;
mod common;

use channels::Waiter;
use common::{pool, unhung};
use std::{future::poll_fn, sync::mpsc, thread};

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

#[test]
fn a_join_handle_wakes_a_task_of_smol() {
    handles_wake("smol's task", |waiter| smol::block_on(smol::spawn(waiter())));
}

#[test]
fn a_join_handle_wakes_the_block_on_of_smol() {
    handles_wake("smol's block_on", |waiter| smol::block_on(waiter()));
}

#[test]
fn a_task_of_tokio_wakes_the_job_that_awaits_it() {
    unhung("a_task_of_tokio_wakes_the_job_that_awaits_it", || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let (go, gate) = tokio::sync::oneshot::channel();
        let task = runtime.spawn(async move { gate.await.unwrap() });
        assert_eq!(awaited_in_a_job(task, || go.send(42).unwrap()).unwrap(), 42);
    });
}

#[test]
fn a_task_of_smol_wakes_the_job_that_awaits_it() {
    unhung("a_task_of_smol_wakes_the_job_that_awaits_it", || {
        let (go, gate) = smol::channel::bounded(1);
        let task = smol::spawn(async move { gate.recv().await.unwrap() });
        assert_eq!(awaited_in_a_job(task, || go.try_send(42).unwrap()), 42);
    });
}

/// What `task` comes to for a job that awaits it. `release` lets it end, and is called once the job waits.
fn awaited_in_a_job<F>(task: F, release: impl FnOnce()) -> F::Output
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let pool = pool(1);
    let (waits, has_waited) = mpsc::channel();
    let job = pool.spawn(move || {
        let mut task = Box::pin(task);
        poll_fn(move |cx| {
            let polled = task.as_mut().poll(cx);
            let _ = waits.send(());
            polled
        })
    });
    // Ended by the job's first poll, after which nothing but the task wakes it.
    has_waited.recv().unwrap();
    release();
    job.join().unwrap()
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
