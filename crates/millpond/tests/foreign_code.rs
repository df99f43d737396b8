//! Code of others that the pool has to call: wakers above all. Whatever it does, it harms nobody else.

mod common;

use common::{held, pool, unhung};
use millpond::Pool;
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::{Context, Wake, Waker},
};

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        // Of no size: what is contained is forgotten, and here that costs no memory.
        std::panic::resume_unwind(Box::new(()));
    }
}

/// A pool of one worker that is held up with a full queue, until the sender is dropped.
fn full() -> (Pool, mpsc::Sender<()>) {
    let (pool, release) = held(1);
    drop(pool.try_spawn(|| async {}).unwrap());
    (pool, release)
}

#[test]
fn a_waker_that_panics_where_a_submit_waits() {
    unhung("a_waker_that_panics_where_a_submit_waits", || {
        let waker = Waker::from(Arc::new(Panics));
        let (pool, release) = full();
        let mut waiting = Box::pin(pool.submit(|| async { 1 }));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(release);
        // The worker woke it, and lives: the place is there, and jobs go on.
        let job = futures_lite::future::block_on(waiting).unwrap();
        assert_eq!(job.join().unwrap(), 1);

        let (pool, release) = full();
        let handle = pool.handle();
        let mut waiting = pin!(handle.submit(|| async {}));
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(release);
        // The close wakes it, and the drop goes on to its end.
        drop(pool);
        assert!(handle.spawn(|| async {}).join().unwrap_err().is_shutdown());
    });
}

#[test]
fn a_waker_that_panics_where_a_shutdown_waits() {
    unhung("a_waker_that_panics_where_a_shutdown_waits", || {
        let pool = pool(1);
        let (release, gate) = flume::bounded::<()>(1);
        drop(pool.spawn(move || async move { gate.recv_async().await }));
        let mut shutdown = Box::pin(pool.shutdown());
        let waker = Waker::from(Arc::new(Panics));
        assert!(shutdown.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        release.send(()).unwrap();
        let receipt = loop {
            match shutdown.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                std::task::Poll::Ready(receipt) => break receipt,
                std::task::Poll::Pending => std::thread::yield_now(),
            }
        };
        assert_eq!(receipt.completed, 1);
    });
}

#[test]
fn a_waker_whose_drop_spawns_where_a_submit_waits() {
    unhung("a_waker_whose_drop_spawns_where_a_submit_waits", || {
        struct SpawnsOnDrop(millpond::Handle, Arc<AtomicUsize>);
        impl Wake for SpawnsOnDrop {
            fn wake(self: Arc<Self>) {}
        }
        impl Drop for SpawnsOnDrop {
            fn drop(&mut self) {
                let ran = Arc::clone(&self.1);
                drop(self.0.spawn(move || async move { ran.fetch_add(1, SeqCst) }));
            }
        }
        let (pool, release) = full();
        let ran = Arc::new(AtomicUsize::new(0));
        let waker = || Waker::from(Arc::new(SpawnsOnDrop(pool.handle(), Arc::clone(&ran))));
        let mut waiting = Box::pin(pool.submit(|| async {}));
        // Displaced by the second poll, and dropped with the future: both while the queue is looked at.
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker())).is_pending());
        assert!(waiting.as_mut().poll(&mut Context::from_waker(&waker())).is_pending());
        drop(waiting);
        drop(release);
        pool.shutdown_blocking();
        assert_eq!(ran.load(SeqCst), 2);
    });
}

#[test]
fn a_long_chain_of_jobs_that_await_each_other_is_dropped_without_recursion() {
    unhung("a_long_chain_of_jobs_that_await_each_other_is_dropped_without_recursion", || {
        const JOBS: usize = 50_000;
        let pool = pool(1);
        let first = pool.spawn(std::future::pending::<()>);
        let last = (0..JOBS).fold(first, |awaited, _| {
            pool.spawn(move || async move {
                let _ = awaited.await;
            })
        });
        // All of them wait by now: a job's first poll comes before that of one which was sent later.
        pool.spawn(|| async {}).join().unwrap();
        drop(pool);
        assert!(last.join().unwrap_err().is_shutdown());
    });
}

#[test]
fn two_jobs_that_await_each_other_are_freed() {
    unhung("two_jobs_that_await_each_other_are_freed", || {
        let pool = pool(2);
        let alive = Arc::new(());
        for _ in 0..100 {
            let (to_one, for_one) = flume::bounded::<millpond::JoinHandle<()>>(1);
            let (to_two, for_two) = flume::bounded::<millpond::JoinHandle<()>>(1);
            let (ready, is_ready) = mpsc::channel();
            let job = |gets: flume::Receiver<millpond::JoinHandle<()>>| {
                let (kept, ready) = (Arc::clone(&alive), ready.clone());
                pool.spawn(move || async move {
                    let _kept = kept;
                    let other = gets.recv_async().await.unwrap();
                    ready.send(()).unwrap();
                    let _ = other.await;
                })
            };
            let (one, two) = (job(for_one), job(for_two));
            let (abort_one, abort_two) = (one.abort_handle(), two.abort_handle());
            to_one.send(two).unwrap();
            to_two.send(one).unwrap();
            (0..2).for_each(|_| is_ready.recv().unwrap());
            abort_one.abort();
            abort_two.abort();
        }
        pool.shutdown_blocking();
        assert_eq!(Arc::strong_count(&alive), 1);
    });
}
