//! Pools, spawns, panics and wakes where nobody expects them: none hangs, none ends the process.

mod common;

use common::{pool, unhung, yield_now};
use std::{
    cell::RefCell,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::Waker,
    time::Duration,
};

/// Does something when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

#[test]
fn a_pool_in_a_pool() {
    unhung("a_pool_in_a_pool", || {
        let outer = common::builder(1).build().unwrap();
        let job = outer.spawn(|| async {
            let inner = common::builder(2).build().unwrap();
            let handles: Vec<_> = (0..10).map(|n| inner.spawn(move || async move { n })).collect();
            let mut sum = 0;
            for handle in handles {
                sum += handle.await.unwrap();
            }
            // A job of one pool may block for another's.
            sum += inner.spawn(|| async { 100 }).join().unwrap();
            (sum, inner.shutdown().await.completed)
        });
        assert_eq!(job.join().unwrap(), (145, 11));
    });
}

#[test]
fn a_pool_dropped_in_its_own_job() {
    unhung("a_pool_dropped_in_its_own_job", || {
        let pool = pool(2);
        let handle = pool.handle();
        let other = handle.spawn(std::future::pending::<()>);
        let job = handle.spawn(move || async move {
            drop(pool);
            "still here"
        });
        assert_eq!(job.join().unwrap(), "still here");
        assert!(other.join().unwrap_err().is_shutdown());
        assert!(handle.spawn(|| async {}).join().unwrap_err().is_shutdown());
    });
}

#[test]
fn a_pool_shut_down_in_its_own_job_is_a_panic_of_that_job() {
    unhung("a_pool_shut_down_in_its_own_job_is_a_panic_of_that_job", || {
        let (awaited, blocking) = (pool(2), pool(2));
        let (of_awaited, of_blocking) = (awaited.handle(), blocking.handle());
        let job = of_awaited.spawn(move || async move { awaited.shutdown().await.accepted() });
        assert!(job.join().unwrap_err().is_panic());
        let job = of_blocking.spawn(move || async move { blocking.shutdown_blocking().accepted() });
        assert!(job.join().unwrap_err().is_panic());
    });
}

#[test]
fn a_pool_dropped_in_its_own_blocking_closure() {
    unhung("a_pool_dropped_in_its_own_blocking_closure", || {
        let pool = pool(1);
        let handle = pool.handle();
        let (ended, has_ended) = mpsc::channel();
        let closure = handle.spawn_blocking(move || {
            drop(pool);
            ended.send(()).unwrap();
        });
        has_ended.recv().unwrap();
        assert!(closure.join().unwrap_err().is_shutdown());
    });
}

#[test]
fn a_pool_shut_down_in_its_own_blocking_closure_is_a_panic_of_that_job() {
    unhung("a_pool_shut_down_in_its_own_blocking_closure_is_a_panic_of_that_job", || {
        let pool = pool(1);
        let handle = pool.handle();
        let (ended, has_ended) = mpsc::channel();
        let closure = handle.spawn_blocking(move || {
            // Its sender is dropped by the unwinding, after the pool.
            let _ended = ended;
            pool.shutdown_blocking()
        });
        let nothing: Result<(), _> = has_ended.recv();
        assert!(nothing.is_err());
        // The pool's drop answered the handle before the panic could.
        assert!(closure.join().is_err());
    });
}

#[test]
fn a_pool_dropped_with_the_result_of_its_own_job() {
    unhung("a_pool_dropped_with_the_result_of_its_own_job", || {
        // The last owner of the pool is a result that nobody takes.
        for blocking in [false, true] {
            let pool = Arc::new(pool(1));
            let handle = pool.handle();
            let (release, gate) = mpsc::channel::<()>();
            let theirs = Arc::clone(&pool);
            if blocking {
                drop(handle.spawn_blocking(move || (gate.recv(), theirs)));
            } else {
                drop(handle.spawn(move || async move { (gate.recv(), theirs) }));
            }
            drop(pool);
            release.send(()).unwrap();
            while !handle.spawn(|| async {}).join().is_err_and(|error| error.is_shutdown()) {}
        }
    });
}

#[test]
fn a_spawn_from_a_drop() {
    unhung("a_spawn_from_a_drop", || {
        let pool = pool(1);
        let (sender, receiver) = mpsc::channel();
        let spawning = OnDrop(move || {
            let sender = sender.clone();
            let local = sender.clone();
            drop(millpond::spawn(move || async move { sender.send("job").unwrap() }));
            drop(millpond::spawn_local(async move { local.send("local").unwrap() }));
        });
        // Dropped when its job ends, on the worker.
        pool.spawn(|| async move { drop(spawning) }).join().unwrap();
        let mut ran = [receiver.recv().unwrap(), receiver.recv().unwrap()];
        ran.sort_unstable();
        assert_eq!(ran, ["job", "local"]);
    });
}

#[test]
fn a_spawn_during_the_shutdown() {
    unhung("a_spawn_during_the_shutdown", || {
        let pool = pool(2);
        let refused = Arc::new(AtomicUsize::new(0));
        for _ in 0..100 {
            let refused = Arc::clone(&refused);
            drop(pool.spawn(move || async move {
                let _on_cut_off = OnDrop(move || {
                    let job = millpond::spawn(|| async {});
                    let local = millpond::spawn_local(async {});
                    let blocking = millpond::spawn_blocking(|| ());
                    let broadcast = millpond::broadcast(|_| async {});
                    drop(broadcast);
                    for over in [job.is_finished(), local.is_finished(), blocking.is_finished()] {
                        refused.fetch_add(usize::from(over), SeqCst);
                    }
                });
                std::future::pending::<()>().await;
            }));
        }
        pool.spawn(|| async {}).join().unwrap();
        let receipt = pool.shutdown_timeout_blocking(Duration::from_millis(1));
        assert_eq!(receipt.cut_off + receipt.never_started, 100);
        assert_eq!(refused.load(SeqCst) as u64, 3 * receipt.cut_off);
    });
}

#[test]
fn a_panic_in_a_drop() {
    unhung("a_panic_in_a_drop", || {
        let pool = pool(1);
        let panicking = || OnDrop(|| panic!("in a drop"));
        // Of the future, at its end.
        let at_end = pool.spawn(move || async move { drop(panicking()) });
        assert!(at_end.join().unwrap_err().is_panic());
        // Of the future, when it is aborted.
        let (started, is_started) = mpsc::channel();
        let aborted = pool.spawn(move || async move {
            let _kept = panicking();
            started.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        is_started.recv().unwrap();
        aborted.abort();
        assert!(aborted.join().unwrap_err().is_panic());
        // Of a closure that never starts, on the thread that aborts.
        let (release, gate) = mpsc::channel::<()>();
        let holding = pool.spawn(move || async move { gate.recv().unwrap() });
        let kept = panicking();
        let queued = pool.spawn(move || async move { drop(kept) });
        queued.abort();
        assert!(queued.join().unwrap_err().is_aborted(), "a job that never ran has not panicked");
        release.send(()).unwrap();
        holding.join().unwrap();
        // Of a result that nobody takes.
        drop(pool.spawn(move || async move { panicking() }));
        // Of what a panic left behind, while its payload is on the way.
        let twice = pool.spawn(move || async move {
            let _kept = panicking;
            std::panic::panic_any(OnDrop(|| panic!("in the drop of a payload")));
        });
        let error: Result<(), _> = twice.join();
        assert!(error.is_err_and(|error| {
            let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(error)));
            dropped.is_err()
        }));
        assert_eq!(pool.spawn(|| async { 1 }).join().unwrap(), 1, "the worker goes on");
        let receipt = pool.shutdown_blocking();
        assert_eq!((receipt.panicked, receipt.aborted, receipt.completed), (3, 1, 3), "{receipt:?}");
    });
}

#[test]
fn a_panic_in_a_drop_at_the_cut_off() {
    unhung("a_panic_in_a_drop_at_the_cut_off", || {
        let pool = pool(2);
        let (started, is_started) = mpsc::channel();
        for _ in 0..20 {
            let started = started.clone();
            drop(pool.spawn(move || async move {
                let _kept = OnDrop(|| panic!("at the cut-off"));
                started.send(()).unwrap();
                std::future::pending::<()>().await;
            }));
        }
        (0..20).for_each(|_| is_started.recv().unwrap());
        let receipt = pool.shutdown_timeout_blocking(Duration::ZERO);
        assert_eq!((receipt.panicked, receipt.accepted()), (20, 20));
    });
}

#[test]
fn a_waker_kept_for_ever() {
    unhung("a_waker_kept_for_ever", || {
        thread_local! {
            static KEPT: RefCell<Vec<Waker>> = const { RefCell::new(Vec::new()) };
        }
        for cut_off in [false, true] {
            let pool = pool(1);
            let (sender, receiver) = mpsc::channel();
            let job = pool.spawn(move || async move {
                std::future::poll_fn(|cx| {
                    sender.send(cx.waker().clone()).unwrap();
                    if cut_off { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
                })
                .await;
            });
            let waker = receiver.recv().unwrap();
            waker.wake_by_ref();
            if !cut_off {
                job.join().unwrap();
            }
            drop(pool);
            // The pool has gone: to wake, clone and drop does nothing, here or anywhere.
            waker.wake_by_ref();
            let clone = waker.clone();
            std::thread::spawn(move || clone.wake()).join().unwrap();
            // And one is dropped with its thread.
            KEPT.with_borrow_mut(|kept| kept.push(waker));
        }
    });
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    unhung("a_waker_that_panics_harms_nobody", || {
        struct Panics;
        impl std::task::Wake for Panics {
            fn wake(self: Arc<Self>) {
                panic!("in a foreign waker");
            }
        }
        let pool = pool(1);
        let (release, gate) = flume::bounded::<()>(1);
        let mut job = pool.spawn(move || async move { gate.recv_async().await.unwrap() });
        let waker = Waker::from(Arc::new(Panics));
        assert!(std::pin::Pin::new(&mut job).poll(&mut std::task::Context::from_waker(&waker)).is_pending());
        release.send(()).unwrap();
        job.join().unwrap();
        assert_eq!(pool.spawn(|| async { 2 }).join().unwrap(), 2);
    });
}

#[test]
fn block_on_runs_a_future_that_borrows_and_cleans_up_behind_it() {
    unhung("block_on_runs_a_future_that_borrows_and_cleans_up_behind_it", || {
        let pool = pool(1);
        let text = String::from("borrowed");
        let dropped = std::rc::Rc::new(std::cell::Cell::new(0));
        let length = pool.block_on(async {
            let dropped = std::rc::Rc::clone(&dropped);
            let handle = millpond::spawn_local(async move {
                let _count = OnDrop(move || dropped.set(dropped.get() + 1));
                std::future::pending::<()>().await;
            });
            millpond::time::sleep(Duration::from_millis(1)).await;
            yield_now().await;
            drop(handle);
            text.len()
        });
        assert_eq!((length, dropped.get()), (8, 1));
        // Again on the same thread, with a panic; and once more after it.
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            pool.block_on(async {
                let _second = OnDrop(|| ());
                yield_now().await;
                panic!("in the body");
            })
        }));
        assert!(panicked.is_err());
        let in_drop = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let kept = OnDrop(|| panic!("in the drop of the body"));
            pool.block_on(async move {
                let _kept = &kept;
                yield_now().await;
            });
        }));
        assert!(in_drop.is_err());
        assert_eq!(pool.block_on(async { millpond::spawn(|| async { 3 }).await.unwrap() }), 3);
        assert_eq!(pool.shutdown_blocking().cut_off, 1);
    });
}

#[test]
fn block_on_in_a_job_is_a_panic_of_that_job() {
    unhung("block_on_in_a_job_is_a_panic_of_that_job", || {
        let outer = pool(1);
        let job = outer.spawn(|| async {
            let inner = pool(1);
            inner.block_on(async {});
        });
        let message = job.join().unwrap_err().to_string();
        assert!(message.contains("await the future instead"), "{message}");
        // On a blocking thread there is no loop in the way.
        let closure = outer.spawn_blocking(|| pool(1).block_on(async { 4 }));
        assert_eq!(closure.join().unwrap(), 4);
    });
}
