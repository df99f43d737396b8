//! The wakers of tasks: equal to their clones wherever they were made, and harmless for as long as they are kept.
//!
//! A waker's table of functions that is a constant of generic or inlined code may be there once for each codegen unit.
//! Then a waker differs from its clone, in the default release profile, and whoever compares the two registers and
//! wakes itself for ever. So what makes, clones and compares wakers is here in several modules and instances.

#[path = "common/alone.rs"]
mod alone;
#[path = "common/child.rs"]
mod child;
mod common;

use alone::alone;
use child::Holdings;
use common::{pool, unhung, yield_now};
use millpond::Pool;
use std::{
    cell::RefCell,
    future::{pending, poll_fn},
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
};

/// A task that looks at its own waker.
macro_rules! looks {
    ($($module:ident)*) => {$(
        mod $module {
            use std::{future::poll_fn, task::{Poll, Waker}, thread};

            /// Compares the waker of each poll with its clones, with the clones of other threads, and with the waker of the
            /// polls before. `STATE` is carried over the polls, so that tasks of different sizes come of it.
            pub(crate) async fn look<const STATE: usize>() {
                const POLLS: usize = 4;
                let mut before: Vec<Waker> = Vec::new();
                let state = [1_u8; STATE];
                poll_fn(move |cx| {
                    let waker = cx.waker();
                    let clones = [waker.clone(), waker.clone().clone(), cloned_elsewhere(waker.clone())];
                    for other in before.iter().chain(&clones) {
                        assert!(waker.will_wake(other) && other.will_wake(waker), "a waker differs from its clone");
                    }
                    before.extend(clones);
                    if before.len() == 3 * POLLS {
                        return Poll::Ready(state.iter().for_each(|byte| assert_eq!(*byte, 1)));
                    }
                    waker.wake_by_ref();
                    Poll::Pending
                })
                .await;
            }

            fn cloned_elsewhere(waker: Waker) -> Waker {
                let cloning = thread::spawn(move || {
                    let clone = waker.clone();
                    assert!(clone.will_wake(&waker), "a waker differs from its clone on another thread");
                    clone
                });
                cloning.join().expect("the wakers are equal there")
            }
        }
    )*};
}

looks!(first second third);

/// Calls `$run` with tasks of several modules and sizes, each of a type of its own.
macro_rules! each_look {
    ($run:ident, $pool:expr) => {{
        $run($pool, first::look::<0>);
        $run($pool, first::look::<64>);
        $run($pool, second::look::<0>);
        $run($pool, second::look::<1000>);
        $run($pool, third::look::<3>);
    }};
}

fn in_a_job<F: Future<Output = ()> + 'static>(pool: &Pool, look: fn() -> F) {
    pool.spawn(look).join().unwrap();
}

fn in_a_local_task<F: Future<Output = ()> + 'static>(pool: &Pool, look: fn() -> F) {
    pool.spawn(move || async move { millpond::spawn_local(look()).await.unwrap() }).join().unwrap();
}

fn in_a_body<F: Future<Output = ()> + 'static>(pool: &Pool, look: fn() -> F) {
    pool.block_on(look());
}

fn beside_a_body<F: Future<Output = ()> + 'static>(pool: &Pool, look: fn() -> F) {
    pool.block_on(async { millpond::spawn_local(look()).await.unwrap() });
}

#[test]
fn a_waker_equals_its_clone() {
    unhung("a_waker_equals_its_clone", || {
        let pool = pool(2);
        each_look!(in_a_job, &pool);
        each_look!(in_a_local_task, &pool);
        each_look!(in_a_body, &pool);
        each_look!(beside_a_body, &pool);
    });
}

/// Leaves the waker of the task that awaits it.
async fn leave_waker(with: mpsc::Sender<Waker>) {
    poll_fn(|cx| {
        with.send(cx.waker().clone()).unwrap();
        Poll::Ready(())
    })
    .await;
}

async fn leave_waker_and_stay(with: mpsc::Sender<Waker>) {
    leave_waker(with).await;
    pending().await
}

/// The wakers of one task of each kind. Some of the tasks are over, the others stay until the pool is dropped.
fn wakers_of_each_kind(pool: &Pool) -> Vec<Waker> {
    let (leave, left) = mpsc::channel();
    let with = || leave.clone();
    let mut wakers = Vec::new();
    // Ended by the task's first poll, here and below.
    let mut take = || wakers.push(left.recv().unwrap());

    let (with_job, with_local) = (with(), with());
    pool.spawn(|| leave_waker(with_job)).join().unwrap();
    take();
    pool.spawn(|| async { millpond::spawn_local(leave_waker(with_local)).await.unwrap() }).join().unwrap();
    take();

    let (with_job, with_local, with_aborted) = (with(), with(), with());
    drop(pool.spawn(|| leave_waker_and_stay(with_job)));
    take();
    drop(pool.spawn(|| async { millpond::spawn_local(leave_waker_and_stay(with_local)).await.unwrap() }));
    take();
    let aborted = pool.spawn(|| leave_waker_and_stay(with_aborted));
    take();
    aborted.abort();
    assert!(aborted.join().unwrap_err().is_aborted());

    pool.block_on(async {
        drop(millpond::spawn_local(leave_waker_and_stay(with())));
        yield_now().await;
        leave_waker(with()).await;
    });
    take();
    take();
    wakers
}

#[test]
fn wakers_of_two_tasks_differ() {
    unhung("wakers_of_two_tasks_differ", || {
        let pool = pool(2);
        let wakers = wakers_of_each_kind(&pool);
        let (first, others) = wakers.split_first().unwrap();
        assert!(others.iter().all(|other| !first.will_wake(other)));
    });
}

#[test]
fn a_waker_kept_after_its_pool_does_no_harm() {
    alone(module_path!(), "a_waker_kept_after_its_pool_does_no_harm", || {
        let before = Holdings::now();
        let pool = pool(2);
        let wakers = wakers_of_each_kind(&pool);
        drop(pool);
        let using = thread::spawn(move || {
            for waker in wakers {
                waker.wake_by_ref();
                let clone = waker.clone();
                assert!(clone.will_wake(&waker));
                clone.wake();
            }
        });
        using.join().unwrap();
        // They have kept their loops' eventfds until now.
        before.assert_restored();
    });
}

#[test]
fn a_waker_used_while_its_pool_goes_does_no_harm() {
    const POOLS: usize = 100;
    unhung("a_waker_used_while_its_pool_goes_does_no_harm", || {
        for _ in 0..POOLS {
            let pool = pool(2);
            let wakers = wakers_of_each_kind(&pool);
            let (waking, gone) = (Barrier::new(2), AtomicBool::new(false));
            thread::scope(|scope| {
                scope.spawn(|| {
                    waking.wait();
                    // Ended when the pool has gone, by the drop below.
                    while !gone.load(SeqCst) {
                        wakers.iter().for_each(Waker::wake_by_ref);
                        wakers.iter().cloned().for_each(Waker::wake);
                    }
                });
                waking.wait();
                drop(pool);
                gone.store(true, SeqCst);
            });
        }
    });
}

/// Wakes the task when the thread that keeps it ends.
struct WakesAtTheEnd(Waker);

impl Drop for WakesAtTheEnd {
    fn drop(&mut self) {
        let clone = self.0.clone();
        self.0.wake_by_ref();
        clone.wake();
    }
}

thread_local! {
    static KEPT: RefCell<Vec<WakesAtTheEnd>> = const { RefCell::new(Vec::new()) };
}

async fn keep_waker_until_the_thread_ends() {
    poll_fn(|cx| {
        KEPT.with_borrow_mut(|kept| kept.push(WakesAtTheEnd(cx.waker().clone())));
        Poll::Ready(())
    })
    .await;
}

#[test]
fn a_waker_used_at_the_end_of_its_thread_does_no_harm() {
    unhung("a_waker_used_at_the_end_of_its_thread_does_no_harm", || {
        let pool = pool(1);
        pool.spawn(keep_waker_until_the_thread_ends).join().unwrap();
        pool.spawn(|| async { millpond::spawn_local(keep_waker_until_the_thread_ends()).await.unwrap() })
            .join()
            .unwrap();
        thread::scope(|scope| {
            let body = scope.spawn(|| {
                pool.block_on(async {
                    millpond::spawn_local(keep_waker_until_the_thread_ends()).await.unwrap();
                    keep_waker_until_the_thread_ends().await;
                });
            });
            body.join().unwrap();
        });
        assert_eq!(pool.shutdown_blocking().completed, 4);
    });
}
