//! Wakes from other threads arrive, whatever runtime the pool was built with: nothing here relies on monoio's `sync`.

#[path = "common/alone.rs"]
mod alone;
#[path = "common/channels.rs"]
mod channels;
#[path = "common/child.rs"]
#[allow(dead_code)] // Not what a process holds.
mod child;
mod common;
#[path = "common/proc.rs"]
#[allow(dead_code)] // Not what threads do.
mod proc;

use alone::alone;
use channels::{Channel, Feeder, Waiter};
use common::unhung;
use millpond::Pool;
use proc::resident_bytes;
use std::{
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
};

/// Enough that wakes meet each other and every state of the task; a second or two without optimisation.
const WAKES_PER_THREAD: u64 = 250_000;
const WAKING_THREADS: usize = 4;
/// So many wakes after which a thread waits until the last one has been seen: most of the time is spent on the storm,
/// and yet it comes to its end thousands of times.
const WAKES_PER_LOOK: u64 = 1_000;

/// Drives a waiting future to its end, on the pool's first worker or on the calling thread.
type Place = fn(&Pool, Waiter);

fn in_a_job(pool: &Pool, waiter: Waiter) {
    pool.spawn_on(pool.workers()[0], waiter).unwrap().join().unwrap();
}

fn in_a_local_task(pool: &Pool, waiter: Waiter) {
    let job = || async { millpond::spawn_local(waiter()).await.unwrap() };
    pool.spawn_on(pool.workers()[0], job).unwrap().join().unwrap();
}

fn in_a_body(pool: &Pool, waiter: Waiter) {
    pool.block_on(waiter());
}

fn beside_a_body(pool: &Pool, waiter: Waiter) {
    pool.block_on(async { millpond::spawn_local(waiter()).await.unwrap() });
}

/// Runs what feeds a waiting future, on a thread that does not run that future.
type Feeding = fn(&Pool, Feeder);

const FEEDING: [(&str, Feeding); 3] = [
    ("a plain thread", |_, feed| feed()),
    // Blocks that worker, which has nothing else to do: what waits is on the first one, or on none.
    ("another worker", |pool, feed| {
        pool.spawn_on(pool.workers()[1], || async { feed() }).unwrap().join().unwrap();
    }),
    ("a block_on", |pool, feed| pool.block_on(async { feed() })),
];

/// A pool on each of the drivers.
fn pools() -> impl Iterator<Item = Pool> {
    common::pools_on(common::drivers(), 2)
}

/// Awaits `channel` in `place`, while another thread runs `feeding`.
fn arrives(pool: &Pool, channel: Channel, place: Place, feeding: Feeding) {
    let (waiter, feeder) = channel.lockstep();
    thread::scope(|scope| {
        // Ended by the drop of the waiting future.
        scope.spawn(|| feeding(pool, feeder));
        place(pool, waiter);
    });
}

fn all_arrive(name: &str, place: Place) {
    for pool in pools() {
        for (thread, feeding) in FEEDING {
            for channel in channels::all() {
                let what = format!("{name}: {} fed by {thread} on {:?}", channel.name, pool.driver());
                unhung(&what, || arrives(&pool, channel, place, feeding));
            }
        }
    }
}

#[test]
fn foreign_wakes_arrive_without_sync_in_a_job() {
    all_arrive("in a job", in_a_job);
}

#[test]
fn foreign_wakes_arrive_without_sync_in_a_local_task() {
    all_arrive("in a local task", in_a_local_task);
}

#[test]
fn foreign_wakes_arrive_without_sync_in_the_body_of_block_on() {
    all_arrive("in a body", in_a_body);
}

#[test]
fn foreign_wakes_arrive_without_sync_beside_the_body_of_block_on() {
    all_arrive("beside a body", beside_a_body);
}

#[test]
fn foreign_wakes_arrive_without_sync_through_join_handles() {
    let elsewhere: Place = |_, waiter| futures_lite::future::block_on(waiter());
    for pool in pools() {
        for place in [in_a_job, in_a_local_task, in_a_body, beside_a_body, elsewhere] {
            unhung("through join handles", || {
                // By a plain thread: the jobs that end are on every worker.
                arrives(&pool, channels::join_handles(&pool), place, |_, feed| feed());
            });
        }
    }
}

#[test]
fn foreign_wakes_arrive_without_sync_at_a_blocking_join() {
    const JOBS: usize = 2_000;
    for pool in pools() {
        unhung("at a blocking join", || {
            thread::scope(|scope| {
                let (ends, to_end) = mpsc::sync_channel::<flume::Sender<usize>>(0);
                // Ends one job after the other, each while it is being joined. Ended by the drop of `ends`.
                scope.spawn(move || to_end.iter().enumerate().for_each(|(n, end)| end.send(n).unwrap()));
                for n in 0..JOBS {
                    let (end, ended) = flume::bounded(1);
                    let job = pool.spawn(|| async move { ended.recv_async().await.unwrap() });
                    ends.send(end).unwrap();
                    assert_eq!(job.join().unwrap(), n);
                }
            });
        });
    }
}

/// What a storm of wakes does to one task.
#[derive(Default)]
struct Storm {
    /// Wakes that are about to be given. Written by the waking threads.
    sent: AtomicU64,
    /// How many of them the last poll saw. Written by the task.
    seen: AtomicU64,
}

/// Wakes one task from many threads. The task ends when it has seen every wake; each thread stops at times until the
/// last of its own was seen, so the task ends only if no wake that comes last is lost.
fn storm(pool: &Pool, place: Place) {
    const TOTAL: u64 = WAKES_PER_THREAD * WAKING_THREADS as u64;
    let storm = Arc::new(Storm::default());
    let (wakers, waking): (Vec<_>, Vec<_>) = (0..WAKING_THREADS).map(|_| mpsc::channel::<Waker>()).unzip();
    let target = Arc::clone(&storm);
    thread::scope(|scope| {
        for waker in waking {
            let storm = &storm;
            scope.spawn(move || wake_often(storm, &waker.recv().unwrap()));
        }
        place(
            pool,
            Box::new(move || {
                let mut wakers = Some(wakers);
                Box::pin(poll_fn(move |cx| {
                    for to in wakers.take().into_iter().flatten() {
                        to.send(cx.waker().clone()).unwrap();
                    }
                    let sent = target.sent.load(SeqCst);
                    target.seen.store(sent, SeqCst);
                    if sent == TOTAL { Poll::Ready(()) } else { Poll::Pending }
                }))
            }),
        );
    });
    assert_eq!(storm.seen.load(SeqCst), TOTAL);
}

fn wake_often(storm: &Storm, waker: &Waker) {
    for wake in 1..=WAKES_PER_THREAD {
        let sent = storm.sent.fetch_add(1, SeqCst) + 1;
        // In turns by reference and by value, which go different ways.
        let clone = waker.clone();
        if wake % 2 == 0 {
            clone.wake()
        } else {
            waker.wake_by_ref()
        }
        if wake % WAKES_PER_LOOK == 0 {
            // Ended by the poll that the wake above brings about.
            while storm.seen.load(SeqCst) < sent {
                thread::yield_now();
            }
        }
    }
}

fn storm_on_each_driver(name: &str, place: Place) {
    for pool in pools() {
        unhung(name, || storm(&pool, place));
    }
}

#[test]
fn the_last_of_a_million_wakes_arrives_in_a_job() {
    storm_on_each_driver("in a job", in_a_job);
}

#[test]
fn the_last_of_a_million_wakes_arrives_in_a_local_task() {
    storm_on_each_driver("in a local task", in_a_local_task);
}

#[test]
fn the_last_of_a_million_wakes_arrives_in_the_body_of_block_on() {
    storm_on_each_driver("in a body", in_a_body);
}

#[test]
fn the_last_of_a_million_wakes_arrives_beside_the_body_of_block_on() {
    storm_on_each_driver("beside a body", beside_a_body);
}

/// Wakes a task that cannot run meanwhile, because another one keeps its thread; and looks what that does to the memory.
fn storm_piles_up_nowhere(pool: &Pool, place: Place) {
    /// A word for each wake comes to twice this.
    const GROWTH_LIMIT_BYTES: u64 = 4 << 20;
    let (leave, left) = mpsc::channel();
    let (taken, is_taken) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let woken_while_held: Waiter = Box::new(|| {
        Box::pin(async move {
            drop(millpond::spawn_local(async move {
                taken.send(()).unwrap();
                // Keeps the thread. Ended by the drop of `release`.
                let _ = gate.recv();
            }));
            let mut polled = false;
            poll_fn(|cx| {
                if std::mem::replace(&mut polled, true) {
                    return Poll::Ready(());
                }
                leave.send(cx.waker().clone()).unwrap();
                Poll::Pending
            })
            .await;
        })
    });
    thread::scope(|scope| {
        scope.spawn(move || {
            // Ended by the first poll of each task.
            let waker = left.recv().unwrap();
            is_taken.recv().unwrap();
            let before = resident_bytes();
            thread::scope(|storm| {
                for _ in 0..WAKING_THREADS {
                    storm.spawn(|| (0..WAKES_PER_THREAD).for_each(|_| waker.wake_by_ref()));
                }
            });
            let after = resident_bytes();
            drop(release);
            assert!(after < before + GROWTH_LIMIT_BYTES, "the memory grew from {before} to {after} bytes");
        });
        place(pool, woken_while_held);
    });
}

#[test]
fn a_storm_of_wakes_piles_up_nowhere() {
    alone(module_path!(), "a_storm_of_wakes_piles_up_nowhere", || {
        for pool in pools() {
            for place in [in_a_job, in_a_local_task, in_a_body, beside_a_body] {
                storm_piles_up_nowhere(&pool, place);
            }
        }
    });
}
