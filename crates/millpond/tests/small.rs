//! A little of everything that a pool does, on the driver without I/O: small enough for Miri, which interprets each step.
//!
//! Run as ordinary tests too, and by `cargo xtask miri`. The driver is chosen here, whatever the environment says.

mod common;

use common::{unhung, yield_now};
use millpond::{
    Driver, Pool, channel,
    time::{sleep, timeout},
};
use std::{
    future::{pending, poll_fn},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
    time::Duration,
};

const SHORT: Duration = Duration::from_millis(1);

fn pool() -> Pool {
    common::builder(2).driver(Driver::Park).build().expect("a pool starts")
}

#[test]
fn jobs_run_on_both_workers_and_spawn_others() {
    unhung("jobs_run_on_both_workers_and_spawn_others", || {
        let pool = pool();
        let jobs: Vec<_> = (0..8)
            .map(|n| {
                pool.spawn(move || async move {
                    let held = Rc::new(n);
                    yield_now().await;
                    *held + millpond::spawn(move || async move { n }).await.unwrap()
                })
            })
            .collect();
        assert_eq!(jobs.into_iter().map(|job| job.join().unwrap()).sum::<i32>(), 56);
        let on = pool.broadcast(|worker| async move { worker.index() }).join();
        assert_eq!(on.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(pool.shutdown_blocking().completed, 18);
    });
}

#[test]
fn a_job_that_panics_or_is_aborted_frees_what_it_held() {
    unhung("a_job_that_panics_or_is_aborted_frees_what_it_held", || {
        let pool = pool();
        let held = Arc::new(());
        let (in_panic, in_wait, in_queue) = (Arc::clone(&held), Arc::clone(&held), Arc::clone(&held));
        let panicked = pool.spawn(move || async move {
            let _held = in_panic;
            yield_now().await;
            std::panic::resume_unwind(Box::new("on purpose"));
        });
        let (ready, is_ready) = mpsc::channel();
        let aborted = pool.spawn(move || async move {
            let _held = in_wait;
            ready.send(()).unwrap();
            pending::<()>().await;
        });
        is_ready.recv().unwrap();
        aborted.abort();
        let queued = pool.spawn(move || async move { drop(in_queue) });
        queued.abort();
        assert!(panicked.join().unwrap_err().is_panic());
        assert!(aborted.join().unwrap_err().is_aborted());
        let _ = queued.join();
        drop(pool);
        assert_eq!(Arc::strong_count(&held), 1);
    });
}

#[test]
fn results_that_nobody_takes_are_dropped() {
    unhung("results_that_nobody_takes_are_dropped", || {
        let pool = pool();
        let result = Arc::new(());
        for _ in 0..3 {
            let result = Arc::clone(&result);
            drop(pool.spawn(move || async move { result }));
        }
        pool.shutdown_blocking();
        assert_eq!(Arc::strong_count(&result), 1);
    });
}

#[test]
fn wakers_work_from_any_thread_and_after_the_end() {
    unhung("wakers_work_from_any_thread_and_after_the_end", || {
        let pool = pool();
        let (leave, left) = mpsc::channel::<Waker>();
        let polls = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&polls);
        let job = pool.spawn(move || {
            poll_fn(move |cx| {
                leave.send(cx.waker().clone()).unwrap();
                if theirs.fetch_add(1, SeqCst) == 3 { Poll::Ready(()) } else { Poll::Pending }
            })
        });
        let kept: Vec<Waker> = (0..3)
            .map(|_| {
                let waker = left.recv().unwrap();
                let clone = waker.clone();
                thread::spawn(move || clone.wake()).join().unwrap();
                waker
            })
            .collect();
        job.join().unwrap();
        drop(pool);
        kept.iter().for_each(Waker::wake_by_ref);
        kept.into_iter().for_each(Waker::wake);
    });
}

#[test]
fn timers_end_and_are_given_up() {
    unhung("timers_end_and_are_given_up", || {
        let pool = pool();
        let job = pool.spawn(|| async {
            sleep(SHORT).await;
            timeout(SHORT, pending::<()>()).await.unwrap_err();
            timeout(SHORT * 1_000, sleep(SHORT)).await.unwrap();
        });
        pool.block_on(async { timeout(SHORT * 60_000, job).await.unwrap().unwrap() });
        drop(pool.spawn(|| sleep(SHORT * 60_000)));
    });
}

#[test]
fn a_body_and_what_is_local_to_it() {
    unhung("a_body_and_what_is_local_to_it", || {
        let pool = pool();
        let text = String::from("borrowed");
        let length = pool.block_on(async {
            let beside = millpond::spawn_local(async { Rc::new(1) });
            drop(millpond::spawn_local(pending::<()>()));
            text.len() + *beside.await.unwrap()
        });
        assert_eq!(length, 9);
        assert_eq!(pool.shutdown_blocking().cut_off, 1);
    });
}

#[test]
fn a_cut_off_drops_what_runs_and_what_waits() {
    unhung("a_cut_off_drops_what_runs_and_what_waits", || {
        let held = Arc::new(());
        let pool = pool();
        let handles: Vec<_> = (0..6)
            .map(|n| {
                let held = Arc::clone(&held);
                pool.spawn(move || async move {
                    let _held = held;
                    if n % 2 == 0 {
                        pending::<()>().await;
                    }
                })
            })
            .collect();
        let receipt = pool.shutdown_timeout_blocking(Duration::ZERO);
        assert_eq!(receipt.accepted(), 6);
        assert_eq!(Arc::strong_count(&held), 1);
        handles.into_iter().for_each(|handle| drop(handle.join()));
    });
}

#[test]
fn a_full_queue_makes_its_senders_wait_in_turn() {
    unhung("a_full_queue_makes_its_senders_wait_in_turn", || {
        let (pool, release) = common::held_on(Driver::Park, 1);
        let first = pool.try_spawn(|| async { 1 }).unwrap();
        assert!(pool.try_spawn(|| async { 2 }).is_err());
        let handle = pool.handle();
        let waiting = thread::spawn(move || handle.submit_blocking(|| async { 3 }).unwrap().join().unwrap());
        drop(release);
        assert_eq!((first.join().unwrap(), waiting.join().unwrap()), (1, 3));
    });
}

#[test]
fn messages_of_a_channel_come_once_each() {
    unhung("messages_of_a_channel_come_once_each", || {
        const MESSAGES: u32 = 20;
        let pool = pool();
        let (sender, receiver) = channel::bounded::<Box<u32>>(2);
        let sums = pool.broadcast(move |_| {
            let receiver = receiver.clone();
            async move {
                let mut sum = 0;
                while let Some(message) = receiver.recv().await {
                    sum += *message;
                }
                sum
            }
        });
        (0..MESSAGES).for_each(|message| sender.send_blocking(Box::new(message)).unwrap());
        drop(sender);
        let sum: u32 = sums.join().into_iter().map(Result::unwrap).sum();
        assert_eq!(sum, MESSAGES * (MESSAGES - 1) / 2);
    });
}

#[test]
#[cfg_attr(miri, ignore = "the threads for blocking closures stay a while, and Miri takes them for leaked")]
fn a_blocking_closure_gives_its_result() {
    unhung("a_blocking_closure_gives_its_result", || {
        let pool = pool();
        assert_eq!(pool.spawn_blocking(|| 5).join().unwrap(), 5);
    });
}
