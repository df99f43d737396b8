//! `millpond::time`: waits that are never early, end in order, leave nothing behind, and work on every driver.

mod common;

use common::{pool, unhung};
use millpond::time::{Elapsed, sleep, sleep_until, timeout, timeout_at};
use std::{
    cell::{Cell, RefCell},
    future::{pending, poll_fn, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::{Pin, pin},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

const SHORT: Duration = Duration::from_millis(5);
const LONG: Duration = Duration::from_secs(3600);

async fn sleeps_at_least(duration: Duration) {
    let start = Instant::now();
    sleep(duration).await;
    assert!(start.elapsed() >= duration);
    let deadline = Instant::now() + duration;
    let sleep = sleep_until(deadline);
    assert_eq!(sleep.deadline(), deadline);
    sleep.await;
    assert!(Instant::now() >= deadline);
}

#[test]
fn a_sleep_is_never_early_in_a_job_in_a_local_task_and_in_a_body() {
    unhung("a_sleep_is_never_early_in_a_job_in_a_local_task_and_in_a_body", || {
        let pool = pool(1);
        for duration in [Duration::ZERO, Duration::from_micros(300), SHORT] {
            pool.spawn(move || sleeps_at_least(duration)).join().unwrap();
            pool.spawn(move || millpond::spawn_local(sleeps_at_least(duration))).join().unwrap().unwrap();
            pool.block_on(sleeps_at_least(duration));
            // Made outside the loop that it waits in.
            pool.block_on(sleep(duration));
        }
    });
}

#[test]
fn sleeps_end_in_the_order_of_their_deadlines() {
    unhung("sleeps_end_in_the_order_of_their_deadlines", || {
        const SLEEPS: u32 = 200;
        let order = pool(1).block_on(async {
            let (order, now) = (Rc::new(RefCell::new(Vec::new())), Instant::now());
            // Mixed: 7 and 200 have no divisor in common.
            let sleeps = (0..SLEEPS).map(|n| n * 7 % SLEEPS).map(|n| {
                let order = Rc::clone(&order);
                millpond::spawn_local(async move {
                    sleep_until(now + SHORT + n * Duration::from_micros(50)).await;
                    order.borrow_mut().push(n);
                })
            });
            for sleep in sleeps.collect::<Vec<_>>() {
                sleep.await.unwrap();
            }
            order.take()
        });
        assert_eq!(order, (0..SLEEPS).collect::<Vec<_>>());
    });
}

#[test]
fn ten_thousand_jobs_sleep_at_once() {
    unhung("ten_thousand_jobs_sleep_at_once", || {
        const JOBS: u64 = 10_000;
        let pool = pool(2);
        let jobs: Vec<_> =
            (0..JOBS).map(|n| pool.spawn(move || sleep(Duration::from_micros(n % 1_000)))).collect();
        jobs.into_iter().for_each(|job| job.join().unwrap());
        assert_eq!(pool.shutdown_blocking().completed, JOBS);
    });
}

#[test]
fn a_sleep_of_no_time_lets_others_run() {
    unhung("a_sleep_of_no_time_lets_others_run", || {
        pool(1).block_on(async {
            let done = Rc::new(Cell::new(false));
            let theirs = Rc::clone(&done);
            let other = millpond::spawn_local(async move {
                for _ in 0..100 {
                    sleep(Duration::ZERO).await;
                }
                theirs.set(true);
            });
            while !done.get() {
                sleep(Duration::ZERO).await;
            }
            other.await.unwrap();
        });
    });
}

#[test]
fn a_timeout_gives_the_output_or_says_that_the_time_was_up() {
    unhung("a_timeout_gives_the_output_or_says_that_the_time_was_up", || {
        pool(1).block_on(async {
            assert_eq!(timeout(LONG, async { sleep(SHORT).await }).await, Ok(()));
            let held = Rc::new(());
            let theirs = Rc::clone(&held);
            let late: Result<(), Elapsed> = timeout(SHORT, async move {
                let _theirs = theirs;
                pending().await
            })
            .await;
            assert_eq!(late.unwrap_err().to_string(), "the time was up");
            assert_eq!(Rc::strong_count(&held), 1, "the future has gone with its time");
            // The future is looked at first, at the first poll and at the last.
            assert_eq!(timeout(Duration::ZERO, ready(1)).await, Ok(1));
            let deadline = Instant::now() + SHORT;
            let both = timeout_at(deadline, sleep_until(deadline)).await;
            assert_eq!(both, Ok(()));
        });
    });
}

#[test]
fn what_is_given_by_reference_outlives_its_timeout() {
    unhung("what_is_given_by_reference_outlives_its_timeout", || {
        pool(1).block_on(async {
            let mut slow = sleep(SHORT * 2);
            while timeout(Duration::from_millis(1), &mut slow).await.is_err() {}
            // It stays ready.
            slow.await;
        });
    });
}

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_sleep_wakes_the_waker_of_its_last_poll() {
    unhung("a_sleep_wakes_the_waker_of_its_last_poll", || {
        pool(1).block_on(async {
            let first = Arc::<Count>::default();
            let mut sleep = sleep(SHORT);
            let waker = Waker::from(Arc::clone(&first));
            assert!(Pin::new(&mut sleep).poll(&mut Context::from_waker(&waker)).is_pending());
            drop(waker);
            // Hangs if the first one is kept, as monoio's own timers do.
            sleep.await;
            assert_eq!(first.0.load(SeqCst), 0);
            assert_eq!(Arc::strong_count(&first), 1);
        });
    });
}

#[test]
fn a_dropped_sleep_is_cancelled_and_leaves_no_waker_behind() {
    unhung("a_dropped_sleep_is_cancelled_and_leaves_no_waker_behind", || {
        pool(1).block_on(async {
            let count = Arc::<Count>::default();
            let waker = Waker::from(Arc::clone(&count));
            let mut dropped = sleep(SHORT);
            assert!(Pin::new(&mut dropped).poll(&mut Context::from_waker(&waker)).is_pending());
            drop((dropped, waker));
            assert_eq!(Arc::strong_count(&count), 1);
            // Started later, due later.
            sleep(SHORT).await;
            assert_eq!(count.0.load(SeqCst), 0);
        });
    });
}

#[test]
fn a_sleep_goes_on_in_another_body() {
    unhung("a_sleep_goes_on_in_another_body", || {
        let mut slept = pin!(sleep(SHORT));
        let (first, second) = (pool(1), pool(1));
        first.block_on(poll_fn(|cx| {
            assert!(slept.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        }));
        second.block_on(slept);
    });
}

#[test]
fn a_time_past_the_end_of_the_clock_is_waited_for() {
    unhung("a_time_past_the_end_of_the_clock_is_waited_for", || {
        let pool = pool(1);
        for far in [Duration::MAX, Duration::from_secs(5 * 365 * 24 * 3600)] {
            pool.block_on(async {
                assert!(timeout(SHORT, sleep(far)).await.is_err());
                assert_eq!(timeout(far, sleep(SHORT)).await, Ok(()));
            });
        }
    });
}

#[test]
fn a_waker_that_panics_when_a_timer_wakes_it_harms_nobody() {
    struct Bad;
    impl Wake for Bad {
        fn wake(self: Arc<Self>) {
            panic!("on purpose");
        }
    }
    unhung("a_waker_that_panics_when_a_timer_wakes_it_harms_nobody", || {
        let pool = pool(1);
        pool.spawn(|| async {
            let mut bad = sleep(Duration::ZERO);
            let waker = Waker::from(Arc::new(Bad));
            assert!(Pin::new(&mut bad).poll(&mut Context::from_waker(&waker)).is_pending());
            sleep(SHORT).await;
        })
        .join()
        .unwrap();
        assert_eq!(pool.spawn(|| async { 1 }).join().unwrap(), 1);
    });
}

/// What a panic of `f` says.
fn panic_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    payload
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| Some((*payload.downcast_ref::<&str>()?).into()))
        .unwrap()
}

#[test]
fn outside_a_loop_a_sleep_panics_and_says_where_it_works() {
    unhung("outside_a_loop_a_sleep_panics_and_says_where_it_works", || {
        let text = panic_of(|| futures_lite::future::block_on(sleep(SHORT)));
        assert!(text.contains("outside a pool's loops") && text.contains("block_on"), "{text}");
        let pool = pool(1);
        let blocking = pool.spawn_blocking(|| futures_lite::future::block_on(sleep(SHORT)));
        assert!(blocking.join().unwrap_err().is_panic());
    });
}

#[test]
fn a_sleeping_job_is_aborted_and_cut_off_like_any_other() {
    unhung("a_sleeping_job_is_aborted_and_cut_off_like_any_other", || {
        let pool = pool(1);
        let aborted = pool.spawn(|| sleep(LONG));
        pool.spawn(|| sleep(Duration::ZERO)).join().unwrap();
        aborted.abort();
        assert!(aborted.join().unwrap_err().is_aborted());
        let (started, is_started) = std::sync::mpsc::channel();
        let cut_off = pool.spawn(move || async move {
            started.send(()).unwrap();
            sleep(LONG).await;
        });
        is_started.recv().unwrap();
        let receipt = pool.shutdown_timeout_blocking(SHORT);
        assert!(cut_off.join().unwrap_err().is_shutdown());
        assert_eq!((receipt.completed, receipt.aborted, receipt.cut_off), (1, 1, 1));
    });
}
