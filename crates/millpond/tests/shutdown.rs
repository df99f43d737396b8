//! The promises about a pool's end.

mod common;

use common::{pool, unhung, yield_now};
use millpond::{Receipt, TrySpawnError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::Duration,
};

#[test]
fn the_receipt_adds_up() {
    unhung("the_receipt_adds_up", || {
        for round in 0..100_u64 {
            let pool = pool(2);
            let accepted = AtomicUsize::new(0);
            let receipt = thread::scope(|scope| {
                for producer in 0..2 {
                    let (handle, accepted) = (pool.handle(), &accepted);
                    scope.spawn(move || {
                        // `try_spawn` tells an accepted job from a refused one, to the last.
                        for kind in producer.. {
                            let job = match handle.try_spawn(move || job(kind)) {
                                Ok(job) => job,
                                Err(TrySpawnError::Full(_)) => continue,
                                Err(TrySpawnError::Closed(_)) => break,
                            };
                            accepted.fetch_add(1, SeqCst);
                            if kind % 5 == 0 {
                                job.abort();
                            }
                        }
                    });
                }
                while accepted.load(SeqCst) < 200 {
                    thread::yield_now();
                }
                pool.shutdown_timeout_blocking(Duration::from_millis(round % 3))
            });
            assert_eq!(receipt.accepted(), accepted.load(SeqCst) as u64, "{receipt:?}");
        }
    });
}

/// Ends in one way or another, or never.
async fn job(kind: usize) {
    match kind % 7 {
        0 => std::panic::resume_unwind(Box::new("on purpose, and without the panic hook's words")),
        1 => std::future::pending().await,
        2 => millpond::time::sleep(Duration::from_millis(1)).await,
        3 => yield_now().await,
        _ => {}
    }
}

#[test]
fn each_count_of_the_receipt_counts_its_own() {
    unhung("each_count_of_the_receipt_counts_its_own", || {
        let pool = pool(1);
        let done = pool.spawn(|| async {});
        let panicked = pool.spawn(|| async { panic!("on purpose") });
        let waiting = pool.spawn(std::future::pending::<()>);
        let aborted = pool.spawn(std::future::pending::<()>);
        done.join().unwrap();
        let _: Result<(), _> = panicked.join();
        aborted.abort();
        assert!(aborted.join().unwrap_err().is_aborted());
        let (release, gate) = mpsc::channel::<()>();
        let (taken, is_taken) = mpsc::channel();
        let holding = pool.spawn(move || async move {
            taken.send(()).unwrap();
            gate.recv().unwrap();
        });
        is_taken.recv().unwrap();
        let unstarted = [pool.spawn(|| async {}), pool.spawn_on(pool.workers()[0], || async {}).unwrap()];
        let called_off = pool.spawn(|| async {});
        called_off.abort();
        let ended = thread::scope(|scope| {
            let ended = scope.spawn(|| pool.shutdown_timeout_blocking(Duration::ZERO));
            // The shutdown waits for the job that computes; the limit has passed by the time it ends.
            release.send(()).unwrap();
            ended.join().unwrap()
        });
        assert_eq!(ended.accepted(), 8);
        assert_eq!((ended.panicked, ended.aborted, ended.cut_off), (1, 2, 1), "{ended:?}");
        holding.join().unwrap();
        let cut = waiting.join().unwrap_err();
        assert!(cut.is_shutdown() && cut.worker().is_some());
        let started =
            unstarted.into_iter().filter(|_| true).map(millpond::JoinHandle::join).filter(Result::is_ok);
        assert_eq!(ended.completed, 2 + started.count() as u64);
    });
}

#[test]
fn a_drain_runs_all_that_was_accepted() {
    unhung("a_drain_runs_all_that_was_accepted", || {
        let pool = pool(2);
        let runs = Arc::new(AtomicUsize::new(0));
        for _ in 0..1_000 {
            let runs = Arc::clone(&runs);
            drop(pool.spawn(move || async move {
                millpond::time::sleep(Duration::from_millis(1)).await;
                runs.fetch_add(1, SeqCst);
            }));
        }
        let receipt = futures_lite::future::block_on(pool.shutdown());
        assert_eq!((receipt.completed, runs.load(SeqCst)), (1_000, 1_000));
    });
}

#[test]
fn a_shutdown_is_awaited_in_another_pool_and_in_tokio() {
    unhung("a_shutdown_is_awaited_in_another_pool_and_in_tokio", || {
        let slow = || {
            let pool = pool(1);
            drop(pool.spawn(|| async { millpond::time::sleep(Duration::from_millis(5)).await }));
            drop(pool.spawn(std::future::pending::<()>));
            pool
        };
        // Far longer than the first job sleeps: on a busy machine it may start late.
        let limit = Duration::from_millis(500);
        let check = |receipt: Receipt| assert_eq!((receipt.completed, receipt.cut_off), (1, 1));
        let (inner, outer) = (slow(), pool(1));
        let job = outer.spawn(move || async move { inner.shutdown_timeout(limit).await });
        check(job.join().unwrap());
        // No timer of tokio's is needed: the workers keep the deadline.
        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        check(tokio.block_on(slow().shutdown_timeout(limit)));
    });
}

#[test]
fn a_shutdown_with_a_limit_of_ages_waits_for_its_jobs() {
    unhung("a_shutdown_with_a_limit_of_ages_waits_for_its_jobs", || {
        for limit_s in [u64::MAX, i64::MAX as u64 / 4, 1 << 32] {
            let pool = pool(1);
            drop(pool.spawn(|| async { millpond::time::sleep(Duration::from_millis(5)).await }));
            assert_eq!(pool.shutdown_timeout_blocking(Duration::from_secs(limit_s)).completed, 1);
        }
    });
}

#[test]
fn dropping_a_shutdown_cuts_off() {
    unhung("dropping_a_shutdown_cuts_off", || {
        let pool = pool(1);
        let job = pool.spawn(std::future::pending::<()>);
        let mut shutdown = Box::pin(pool.shutdown());
        assert!(common::poll_once(shutdown.as_mut()).is_pending());
        drop(shutdown);
        assert!(job.join().unwrap_err().is_shutdown());
    });
}

#[test]
fn a_drain_waits_for_blocking_closures_and_a_cut_off_does_not() {
    unhung("a_drain_waits_for_blocking_closures_and_a_cut_off_does_not", || {
        let first = pool(1);
        let closure = first.spawn_blocking(|| thread::sleep(Duration::from_millis(20)));
        assert_eq!(first.shutdown_blocking().completed, 1);
        closure.join().unwrap();

        let second = pool(1);
        let (release, gate) = mpsc::channel::<()>();
        let (ended, has_ended) = mpsc::channel();
        let (taken, is_taken) = mpsc::channel();
        let closure = second.spawn_blocking(move || {
            taken.send(()).unwrap();
            gate.recv().unwrap();
            ended.send(()).unwrap();
        });
        is_taken.recv().unwrap();
        let receipt = second.shutdown_timeout_blocking(Duration::from_millis(1));
        assert_eq!(receipt.cut_off, 1);
        assert!(closure.join().unwrap_err().is_shutdown());
        // It goes on by itself, and its end harms nothing.
        release.send(()).unwrap();
        has_ended.recv().unwrap();
    });
}

#[test]
fn every_future_is_dropped_before_the_shutdown_ends() {
    unhung("every_future_is_dropped_before_the_shutdown_ends", || {
        let pool = pool(2);
        let alive = Arc::new(());
        for _ in 0..100 {
            let (queued, started, local) = (Arc::clone(&alive), Arc::clone(&alive), Arc::clone(&alive));
            drop(pool.spawn(move || async move { drop(queued) }));
            drop(pool.spawn(move || async move {
                drop(millpond::spawn_local(async move {
                    let _local = local;
                    std::future::pending::<()>().await;
                }));
                let _started = started;
                std::future::pending::<()>().await;
            }));
        }
        pool.shutdown_timeout_blocking(Duration::from_millis(1));
        assert_eq!(Arc::strong_count(&alive), 1);
    });
}

#[test]
fn hooks_run_once_on_each_worker_around_its_jobs() {
    unhung("hooks_run_once_on_each_worker_around_its_jobs", || {
        let (events, seen) = mpsc::channel();
        let (starts, stops) = (std::sync::Mutex::new(events.clone()), std::sync::Mutex::new(events));
        let pool = common::builder(2)
            .on_worker_start(move |worker| {
                assert_eq!(millpond::worker_id(), worker);
                starts.lock().unwrap().send(("start", worker.index()))?;
                Ok(())
            })
            .on_worker_stop(move |worker| {
                stops.lock().unwrap().send(("stop", worker.index())).unwrap();
                panic!("a panic in a stop hook is caught");
            })
            .build()
            .unwrap();
        let receipt = pool.shutdown_blocking();
        assert_eq!(receipt.accepted(), 0);
        let mut all: Vec<_> = seen.into_iter().collect();
        assert!(all[..2].iter().all(|(what, _)| *what == "start"), "{all:?}");
        all.sort_unstable();
        assert_eq!(all, [("start", 0), ("start", 1), ("stop", 0), ("stop", 1)]);
    });
}

#[test]
fn the_end_of_a_block_on_is_told_to_what_it_cuts_off() {
    unhung("the_end_of_a_block_on_is_told_to_what_it_cuts_off", || {
        let pool = pool(1);
        let mut cut_off = None;
        pool.block_on(async {
            cut_off = Some(millpond::spawn_local(std::future::pending::<()>()));
            yield_now().await;
        });
        let error = cut_off.unwrap().join().unwrap_err();
        assert!(error.is_shutdown() && !error.is_aborted());
        assert!(error.to_string().contains("the block_on beside which it ran"), "{error}");
        assert_eq!(pool.spawn(|| async { 1 }).join().unwrap(), 1);
    });
}

#[test]
fn an_abort_is_one_also_when_its_loop_ends_first() {
    unhung("an_abort_is_one_also_when_its_loop_ends_first", || {
        let pool = pool(1);
        let mut aborted = None;
        pool.block_on(async {
            let task = aborted.insert(millpond::spawn_local(std::future::pending::<()>()));
            yield_now().await;
            task.abort();
        });
        assert!(aborted.unwrap().join().unwrap_err().is_aborted());
        let receipt = pool.shutdown_blocking();
        assert_eq!((receipt.aborted, receipt.cut_off), (1, 0), "{receipt:?}");
    });
}
