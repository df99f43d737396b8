//! The promises about the queue's capacity.

mod common;

use common::{held, poll_once, unhung};
use millpond::{SubmitError, TrySpawnError};
use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    thread,
};

#[test]
fn a_full_queue_says_so_and_gives_the_job_back() {
    unhung("a_full_queue_says_so_and_gives_the_job_back", || {
        let (pool, release) = held(2);
        let jobs = [1, 2].map(|n| pool.try_spawn(move || async move { n }).unwrap());
        let refused = pool.try_spawn(|| async { 3 }).unwrap_err();
        assert!(refused.is_full());
        assert!(refused.to_string().contains("queue_capacity"), "{refused}");
        let unbounded = pool.spawn(|| async { 4 });
        drop(release);
        assert_eq!(jobs.map(|job| job.join().unwrap()), [1, 2]);
        assert_eq!(unbounded.join().unwrap(), 4, "spawn is not held back by the capacity");
        let again = pool.try_spawn(refused.into_inner()).unwrap();
        assert_eq!(again.join().unwrap(), 3);
    });
}

#[test]
fn the_capacity_counts_queued_jobs_exactly() {
    unhung("the_capacity_counts_queued_jobs_exactly", || {
        const CAPACITY: usize = 100;
        let (pool, release) = held(CAPACITY);
        let accepted = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        if pool.try_spawn(|| async {}).is_ok() {
                            accepted.fetch_add(1, SeqCst);
                        }
                        assert!(pool.queued_jobs() <= CAPACITY);
                    }
                });
            }
        });
        assert_eq!(accepted.load(SeqCst), CAPACITY);
        assert_eq!(pool.queued_jobs(), CAPACITY);
        drop(release);
    });
}

#[test]
fn submit_waits_for_room_in_order() {
    unhung("submit_waits_for_room_in_order", || {
        let (pool, release) = held(1);
        pool.try_spawn(|| async {}).map(drop).unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut submits: Vec<_> = (0..10)
            .map(|n| {
                let order = Arc::clone(&order);
                Box::pin(pool.submit(move || async move { order.lock().unwrap().push(n) }))
            })
            .collect();
        let mut cx = Context::from_waker(Waker::noop());
        for submit in &mut submits {
            assert!(submit.as_mut().poll(&mut cx).is_pending());
        }
        // One that gives up loses its turn, and no one else does.
        drop(submits.remove(4));
        drop(release);
        thread::scope(|scope| {
            // Awaited in the other order: it is the order of the first polls that counts.
            for submit in submits.into_iter().rev() {
                scope.spawn(|| drop(futures_lite::future::block_on(submit)));
            }
        });
        pool.shutdown_blocking();
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 5, 6, 7, 8, 9]);
    });
}

#[test]
fn a_submit_that_is_dropped_passes_its_place_on() {
    unhung("a_submit_that_is_dropped_passes_its_place_on", || {
        let (pool, release) = held(1);
        let filler = pool.try_spawn(|| async {}).unwrap();
        let mut first = Box::pin(pool.submit(|| async { 1 }));
        let mut second = Box::pin(pool.submit(|| async { 2 }));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(second.as_mut().poll(&mut cx).is_pending());
        drop(release);
        filler.join().unwrap();
        // The one place is promised to the first by now; no late-comer gets it.
        assert!(pool.try_spawn(|| async {}).unwrap_err().is_full());
        drop(first);
        let second = futures_lite::future::block_on(second).unwrap();
        assert_eq!(second.join().unwrap(), 2);
    });
}

#[test]
fn submit_blocking_waits_on_a_plain_thread_and_refuses_to_on_a_worker() {
    unhung("submit_blocking_waits_on_a_plain_thread_and_refuses_to_on_a_worker", || {
        let (pool, release) = held(1);
        pool.try_spawn(|| async {}).map(drop).unwrap();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| pool.submit_blocking(|| async { 7 }).unwrap().join().unwrap());
            drop(release);
            assert_eq!(waiting.join().unwrap(), 7);
        });
        let handle = pool.handle();
        let job = pool.spawn(move || async move {
            handle.try_spawn(|| async {}).map(drop).unwrap();
            let refused = handle.submit_blocking(|| async { 8 }).unwrap_err();
            assert!(matches!(refused, SubmitError::WouldDeadlock(_)), "{refused}");
            handle.submit(refused.into_inner()).await.unwrap().await.unwrap()
        });
        assert_eq!(job.join().unwrap(), 8);
    });
}

#[test]
fn a_closed_pool_gives_each_kind_of_job_back_or_resolves_it() {
    unhung("a_closed_pool_gives_each_kind_of_job_back_or_resolves_it", || {
        let (pool, release) = held(1);
        let handle = pool.handle();
        pool.try_spawn(|| async {}).map(drop).unwrap();
        let mut waiting = pin!(handle.submit(|| async { 1 }));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(release);
        let worker = pool.workers()[0];
        pool.shutdown_blocking();
        assert!(matches!(poll_once(waiting), Poll::Ready(Err(SubmitError::Closed(_)))));
        assert!(matches!(handle.try_spawn(|| async {}), Err(TrySpawnError::Closed(_))));
        assert!(matches!(handle.submit_blocking(|| async {}), Err(SubmitError::Closed(_))));
        assert!(handle.spawn(|| async {}).join().unwrap_err().is_shutdown());
        assert!(handle.spawn_on(worker, || async {}).unwrap().join().unwrap_err().is_shutdown());
        assert!(handle.spawn_by_key("k", || async {}).join().unwrap_err().is_shutdown());
        assert!(handle.spawn_blocking(|| ()).join().unwrap_err().is_shutdown());
        assert!(handle.broadcast(|_| async {}).join()[0].as_ref().unwrap_err().is_shutdown());
    });
}
