//! What a handle does: wait, abort, detach.

mod common;

use common::{pool, unhung, yield_now};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::Duration,
};

/// Sets its flag when it is dropped.
struct Flag(Arc<AtomicBool>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

fn flag() -> (Flag, Arc<AtomicBool>) {
    let dropped = Arc::new(AtomicBool::new(false));
    (Flag(Arc::clone(&dropped)), dropped)
}

#[test]
fn dropping_a_handle_detaches_the_job_and_drops_its_result() {
    unhung("dropping_a_handle_detaches_the_job_and_drops_its_result", || {
        let pool = pool(1);
        // Dropped before the end, and after it.
        let (early, early_dropped) = flag();
        drop(pool.spawn(|| async move { early }));
        let (late, late_dropped) = flag();
        let job = pool.spawn(|| async move { late });
        while !job.is_finished() {
            thread::yield_now();
        }
        assert!(!late_dropped.load(SeqCst), "the result waits for its handle");
        drop(job);
        assert!(late_dropped.load(SeqCst));
        assert_eq!(pool.shutdown_blocking().completed, 2);
        assert!(early_dropped.load(SeqCst));
    });
}

#[test]
fn an_abort_of_a_queued_job_drops_its_closure_here() {
    unhung("an_abort_of_a_queued_job_drops_its_closure_here", || {
        let pool = pool(1);
        let (release, gate) = mpsc::channel::<()>();
        let (taken, is_taken) = mpsc::channel();
        let holding = pool.spawn(move || async move {
            taken.send(()).unwrap();
            gate.recv().unwrap();
        });
        is_taken.recv().unwrap();
        let (kept, dropped) = flag();
        let job = pool.spawn(move || async move { drop(kept) });
        job.abort();
        assert!(dropped.load(SeqCst) && job.is_finished());
        let error = job.join().unwrap_err();
        assert!(error.is_aborted() && error.is_cancelled() && error.worker().is_none());
        release.send(()).unwrap();
        holding.join().unwrap();
        assert_eq!(pool.shutdown_blocking().aborted, 1);
    });
}

#[test]
fn an_abort_of_a_started_job_drops_it_on_its_worker() {
    unhung("an_abort_of_a_started_job_drops_it_on_its_worker", || {
        let pool = pool(2);
        let (started, is_started) = mpsc::channel();
        let (kept, dropped) = flag();
        let job = pool.spawn(move || async move {
            let _kept = kept;
            started.send(millpond::worker_id()).unwrap();
            std::future::pending::<()>().await;
        });
        let worker = is_started.recv().unwrap();
        let abort = job.abort_handle().clone();
        abort.abort();
        let error = job.join().unwrap_err();
        assert!(error.is_aborted() && dropped.load(SeqCst) && abort.is_finished());
        assert_eq!(error.worker(), Some(worker));
    });
}

#[test]
fn an_abort_while_a_job_runs_takes_effect_at_its_next_await() {
    unhung("an_abort_while_a_job_runs_takes_effect_at_its_next_await", || {
        let pool = pool(1);
        let (release, gate) = mpsc::channel::<()>();
        let (taken, is_taken) = mpsc::channel();
        let job = pool.spawn(move || async move {
            taken.send(()).unwrap();
            gate.recv().unwrap();
            yield_now().await;
            unreachable!("it was aborted before this await");
        });
        is_taken.recv().unwrap();
        job.abort();
        assert!(!job.is_finished());
        release.send(()).unwrap();
        let result: Result<(), _> = job.join();
        assert!(result.unwrap_err().is_aborted());
        // One that ends in that same poll has completed.
        let (release, gate) = mpsc::channel::<()>();
        let (taken, is_taken) = mpsc::channel();
        let job = pool.spawn(move || async move {
            taken.send(()).unwrap();
            gate.recv().unwrap();
            5
        });
        is_taken.recv().unwrap();
        job.abort();
        release.send(()).unwrap();
        assert_eq!(job.join().unwrap(), 5);
    });
}

#[test]
fn join_timeout_gives_the_handle_back() {
    unhung("join_timeout_gives_the_handle_back", || {
        let pool = pool(1);
        let (release, gate) = flume::bounded::<u8>(1);
        let job = pool.spawn(move || async move { gate.recv_async().await.unwrap() });
        let job = job.join_timeout(Duration::from_millis(1)).unwrap_err();
        release.send(9).unwrap();
        assert_eq!(job.join_timeout(Duration::MAX).unwrap().unwrap(), 9);
    });
}

#[test]
fn a_handle_can_be_polled_by_one_task_and_then_by_another() {
    unhung("a_handle_can_be_polled_by_one_task_and_then_by_another", || {
        let pool = pool(2);
        let (release, gate) = flume::bounded::<u8>(1);
        let mut job = pool.spawn(move || async move { gate.recv_async().await.unwrap() });
        // A first waker is left with the job, and then replaced by another executor's.
        assert!(common::poll_once(&mut job).is_pending());
        let waiting = pool.spawn(move || job);
        release.send(3).unwrap();
        assert_eq!(waiting.join().unwrap().unwrap(), 3);
    });
}

#[test]
fn blocking_closures_are_jobs_of_the_pool() {
    unhung("blocking_closures_are_jobs_of_the_pool", || {
        let pool = pool(1);
        let inside = pool.spawn_blocking(|| {
            let handle = millpond::Handle::current();
            handle.spawn(|| async { millpond::worker_id().index() }).join().unwrap()
        });
        assert_eq!(inside.join().unwrap(), 0);
        let count = Arc::new(AtomicUsize::new(0));
        for _ in 0..100 {
            let count = Arc::clone(&count);
            drop(pool.spawn_blocking(move || count.fetch_add(1, SeqCst)));
        }
        let receipt = pool.shutdown_blocking();
        assert_eq!(count.load(SeqCst), 100, "a drain waits for them");
        assert_eq!(receipt.completed, 102);
    });
}
