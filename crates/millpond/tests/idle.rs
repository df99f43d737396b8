//! A pool that has nothing to do sleeps, and its memory stays what it was: after bursts of every kind of work.
//!
//! Each test has a process of its own, and looks at the threads of the pool alone.

#[path = "common/alone.rs"]
mod alone;
#[path = "common/child.rs"]
#[allow(dead_code)] // Not what a process holds.
mod child;
mod common;
#[path = "common/proc.rs"]
mod proc;

use alone::alone;
use common::{drivers, io_drivers};
use millpond::{Driver, Pool, time::sleep};
use proc::{Activity, ThreadId, resident_bytes};
use std::{
    future::{pending, poll_fn},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
    time::{Duration, Instant},
};

const WORKERS: usize = 2;
/// What is sent, spawned or woken in a burst.
const JOBS: u64 = 5_000;
/// How many of the jobs there are at one time, so that the memory for them does not depend on how well the workers keep
/// up.
const AT_ONCE: u64 = 500;
/// The same for jobs that take time, files, or threads off the pool.
const SLOW_JOBS: u64 = 2_000;
const SLOW_AT_ONCE: u64 = 20;
/// A pool whose wakers differ from their clones stays awake after about every second burst.
const BURSTS: usize = 8;
/// Then many more without a look at the threads, so that what each leaves behind adds up.
const BURSTS_FOR_MEMORY: usize = 40;
/// What the allocator may keep more at one time than at another. The smallest loss that can be is one of its blocks, 32
/// bytes, with each job: over the bursts three times this, and a little more than this for the slow jobs.
const GROWTH_LIMIT_BYTES: u64 = 2 << 20;
/// How long no thread of a pool may do anything for the pool to count as at rest.
const QUIET_MS: u64 = 20;
/// The time over which a pool at rest is watched, after a burst and at the end. Time that passes is what is measured
/// here: an idle thread is one that does nothing in it.
const WATCH_MS: u64 = 50;
const LAST_WATCH_MS: u64 = 500;
/// A thread that waits for a time to come, while the host has its CPU, looks asleep for good, and is not. That it does so each
/// time, by chance, is out of the question.
const WATCHES: usize = 3;
/// A pool that has not come to rest in this time, on a machine however busy, never will.
const REST_LIMIT: Duration = Duration::from_secs(30);

/// A pool under watch: its workers, the thread that looks for stalls, and one in `block_on`.
struct Watched<'a> {
    pool: &'a Pool,
    threads: Vec<ThreadId>,
}

impl Watched<'_> {
    fn activities(&self) -> Vec<Activity> {
        self.threads.iter().map(|thread| thread.activity()).collect()
    }

    /// What the threads did while this one slept.
    fn watch(&self, ms: u64) -> (Vec<Activity>, Vec<Activity>) {
        let before = self.activities();
        thread::sleep(Duration::from_millis(ms));
        (before, self.activities())
    }

    /// Waits until the threads are asleep, and holds them to it.
    fn assert_rests(&self, ms: u64) {
        let mut watches = (0..WATCHES).map(|_| {
            self.await_rest();
            self.watch(ms)
        });
        assert!(
            watches.any(|(before, after)| before == after),
            "an idle pool's threads were woken within {ms} ms, {WATCHES} times in a row"
        );
    }

    fn await_rest(&self) {
        let limit = Instant::now() + REST_LIMIT;
        loop {
            let (before, after) = self.watch(QUIET_MS);
            if before == after && self.threads.iter().all(|thread| thread.is_asleep()) {
                return;
            }
            assert!(
                Instant::now() < limit,
                "the idle pool keeps its threads busy: {before:?}, then {after:?}"
            );
        }
    }
}

/// Runs `test` with a pool on each of the drivers, beside a `block_on` that runs `body`.
fn watched<B: Future<Output = ()>>(
    drivers: Vec<Driver>,
    body: impl Fn() -> B + Sync,
    test: impl Fn(&Watched<'_>),
) {
    for driver in drivers {
        let name = format!("{driver:?}");
        let pool = common::builder(WORKERS).driver(driver).thread_name(&name).build().expect("a pool starts");
        thread::scope(|scope| {
            let (report, reported) = mpsc::channel();
            let (end, ended) = flume::bounded::<()>(0);
            let (pool, body) = (&pool, &body);
            scope.spawn(move || {
                pool.block_on(async {
                    report.send(ThreadId::current()).unwrap();
                    // Ended by the drop of `end`.
                    futures_lite::future::or(body(), async { _ = ended.recv_async().await }).await;
                });
            });
            let workers = pool.broadcast(|_| async { ThreadId::current() }).join();
            let threads = workers.into_iter().map(Result::unwrap).chain(reported.recv());
            let threads = threads.chain([ThreadId::called(&format!("{name}-watch"))]).collect();
            let watched = Watched { pool, threads };
            watched.assert_rests(WATCH_MS);
            test(&watched);
            drop(end);
        });
    }
}

/// Runs bursts of work, each to its end, and looks after each whether the pool comes to rest, and after all of them
/// what became of the memory.
fn rests_after(watched: &Watched<'_>, burst: impl Fn()) {
    for _ in 0..BURSTS {
        burst();
        watched.assert_rests(WATCH_MS);
    }
    let before = resident_bytes();
    for _ in 0..BURSTS_FOR_MEMORY {
        burst();
    }
    watched.assert_rests(LAST_WATCH_MS);
    let after = resident_bytes();
    assert!(after < before + GROWTH_LIMIT_BYTES, "the memory grew from {before} to {after} bytes");
}

/// Counts what comes, until the test ends.
async fn receive(from: flume::Receiver<u64>, received: Arc<AtomicU64>) {
    while from.recv_async().await.is_ok() {
        received.fetch_add(1, SeqCst);
    }
}

/// Has `send` bring [`JOBS`] messages to receivers on every loop of the pool.
fn rests_after_flume(
    channel: (flume::Sender<u64>, flume::Receiver<u64>),
    send: fn(&Pool, &flume::Sender<u64>),
) {
    const RECEIVERS_PER_WORKER: usize = 4;
    let (sender, receiver) = channel;
    let received = Arc::new(AtomicU64::new(0));
    let start = || receive(receiver.clone(), Arc::clone(&received));
    watched(drivers(), start, |watched| {
        for worker in watched.pool.workers().repeat(RECEIVERS_PER_WORKER) {
            let (receiver, received) = (receiver.clone(), Arc::clone(&received));
            drop(watched.pool.spawn_on(worker, || receive(receiver, received)).unwrap());
        }
        rests_after(watched, || {
            let all = received.load(SeqCst) + JOBS;
            send(watched.pool, &sender);
            // Ended by the receivers, which count every message.
            while received.load(SeqCst) < all {
                thread::yield_now();
            }
        });
    });
}

#[test]
fn an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_through_flume() {
    alone(module_path!(), "an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_through_flume", || {
        rests_after_flume(flume::unbounded(), |_, sender| {
            (0..JOBS).for_each(|message| sender.send(message).unwrap());
        });
    });
}

#[test]
fn an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_between_jobs() {
    const SENDERS: u64 = 4;
    alone(module_path!(), "an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_between_jobs", || {
        rests_after_flume(flume::bounded(16), |pool, sender| {
            for _ in 0..SENDERS {
                let sender = sender.clone();
                drop(pool.spawn(|| async move {
                    for message in 0..JOBS / SENDERS {
                        sender.send_async(message).await.unwrap();
                    }
                }));
            }
        });
    });
}

/// Sends bursts of so many jobs, so many at a time.
fn rests_after_jobs<F: Future<Output = ()> + 'static>(
    drivers: Vec<Driver>,
    jobs: u64,
    at_once: u64,
    job: fn() -> F,
) {
    watched(drivers, pending, |watched| {
        rests_after(watched, || {
            for _ in 0..jobs / at_once {
                let handles: Vec<_> = (0..at_once).map(|_| watched.pool.spawn(job)).collect();
                handles.into_iter().for_each(|handle| handle.join().unwrap());
            }
        });
    });
}

#[test]
fn an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_of_spawns() {
    alone(module_path!(), "an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_of_spawns", || {
        rests_after_jobs(drivers(), JOBS, AT_ONCE, || async {
            millpond::spawn_local(common::yield_now()).await.unwrap()
        });
    });
}

#[test]
fn an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_of_timers() {
    alone(module_path!(), "an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_of_timers", || {
        rests_after_jobs(drivers(), SLOW_JOBS, AT_ONCE, || async {
            // One that ends, and one that is given up.
            let (short, long) = (sleep(Duration::from_millis(1)), sleep(Duration::from_secs(3600)));
            futures_lite::future::or(short, long).await;
        });
    });
}

#[test]
fn an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_of_reads() {
    alone(module_path!(), "an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_of_reads", || {
        rests_after_jobs(io_drivers(), SLOW_JOBS, SLOW_AT_ONCE, || async {
            let file = monoio::fs::File::open("/proc/self/exe").await.unwrap();
            let (read, _) = file.read_at(vec![0; 64], 0).await;
            assert_eq!(read.unwrap(), 64);
        });
    });
}

#[test]
fn an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_off_the_workers() {
    alone(module_path!(), "an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_off_the_workers", || {
        rests_after_jobs(drivers(), SLOW_JOBS, SLOW_AT_ONCE, || async {
            millpond::spawn_blocking(|| ()).await.unwrap()
        });
    });
}

/// Leaves its waker, and goes back to sleep after every wake.
async fn leave_waker_and_stay(with: mpsc::Sender<Waker>) {
    let mut with = Some(with);
    poll_fn(|cx| {
        if let Some(with) = with.take() {
            with.send(cx.waker().clone()).unwrap();
        }
        Poll::Pending
    })
    .await
}

#[test]
fn an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_of_foreign_wakes() {
    const WAKING_THREADS: usize = 4;
    alone(
        module_path!(),
        "an_idle_pool_uses_no_cpu_and_no_more_memory_after_bursts_of_foreign_wakes",
        || {
            let (leave, left) = mpsc::channel();
            let stay = || leave_waker_and_stay(leave.clone());
            watched(drivers(), stay, |watched| {
                for worker in watched.pool.workers() {
                    let (for_job, for_local) = (leave.clone(), leave.clone());
                    let job = || async {
                        drop(millpond::spawn_local(leave_waker_and_stay(for_local)));
                        leave_waker_and_stay(for_job).await;
                    };
                    drop(watched.pool.spawn_on(*worker, job).unwrap());
                }
                // Ended by the first poll of each.
                let wakers: Vec<Waker> = left.iter().take(1 + 2 * WORKERS).collect();
                rests_after(watched, || {
                    thread::scope(|scope| {
                        for _ in 0..WAKING_THREADS {
                            scope.spawn(|| {
                                let wakes = wakers.iter().cycle().take(JOBS as usize);
                                wakes.for_each(Waker::wake_by_ref);
                            });
                        }
                    });
                });
            });
        },
    );
}
