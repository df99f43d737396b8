//! The pieces of the chapter "Backpressure".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use millpond::{Class, JobOptions, JoinHandle, Pool, TrySpawnError, channel};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

// ANCHOR: try_spawn
/// Takes the request, or says at once that it cannot: the caller answers 503, say.
fn take_or_refuse(pool: &Pool, request: String) -> Result<JoinHandle<usize>, &'static str> {
    match pool.try_spawn(move || async move { request.len() }) {
        Ok(job) => Ok(job),
        // The closure comes back.
        Err(TrySpawnError::Full(_closure)) => Err("busy, try later"),
        Err(TrySpawnError::Closed(_closure)) => Err("going down"),
    }
}
// ANCHOR_END: try_spawn

#[test]
fn a_full_queue_refuses() {
    unhung("a_full_queue_refuses", || {
        let (pool, release) = common::held(2); // one worker, which is busy
        let first = take_or_refuse(&pool, "one".into()).unwrap();
        let second = take_or_refuse(&pool, "three".into()).unwrap();
        assert_eq!(take_or_refuse(&pool, "no".into()).unwrap_err(), "busy, try later");
        drop(release);
        assert_eq!((first.join().unwrap(), second.join().unwrap()), (3, 5));
    });
}

// ANCHOR: submit
/// Sends no faster than the jobs are started.
async fn produce(pool: &millpond::Handle, items: u64) -> u64 {
    let mut jobs = Vec::new();
    for item in 0..items {
        // Waits while the queue is full.
        let sent = pool.submit(move || async move { item }).await;
        jobs.push(sent.expect("the pool is there"));
    }
    let mut sum = 0;
    for job in jobs {
        sum += job.await.expect("no job panics");
    }
    sum
}
// ANCHOR_END: submit

#[test]
fn a_producer_waits_for_room() {
    unhung("a_producer_waits_for_room", || {
        let pool = common::builder(2).queue_capacity(4).build().unwrap();
        let (watched, handle) = (pool.handle(), pool.handle());
        let sum = pool.block_on(async {
            let produced = millpond::spawn_local(async move { produce(&handle, 1000).await });
            while !produced.is_finished() {
                assert!(watched.metrics().shared_queue <= 4);
                futures_lite::future::yield_now().await;
            }
            produced.await.unwrap()
        });
        assert_eq!(sum, 499_500);
    });
}

// ANCHOR: channel
/// A reader that is 64 lines ahead of the workers, and no more.
fn feed(lines: impl Iterator<Item = String>, queue: &channel::Sender<String>) {
    for line in lines {
        if queue.send_blocking(line).is_err() {
            return; // nobody receives any more
        }
    }
}
// ANCHOR_END: channel

#[test]
fn a_sender_is_no_further_ahead_than_the_capacity() {
    unhung("a_sender_is_no_further_ahead_than_the_capacity", || {
        let (send, queue) = channel::bounded(64);
        let feeder = std::thread::spawn(move || feed((0..1000).map(|n| n.to_string()), &send));
        let mut received = 0;
        while queue.recv_blocking().is_some() {
            assert!(queue.len() <= 64);
            received += 1;
        }
        assert_eq!(received, 1000);
        feeder.join().unwrap();
    });
}

// ANCHOR: max_tasks
/// Counts how many of it there are.
struct OpenFile(Arc<AtomicUsize>);

impl OpenFile {
    fn open(open: Arc<AtomicUsize>, most: &AtomicUsize) -> OpenFile {
        most.fetch_max(open.fetch_add(1, SeqCst) + 1, SeqCst);
        OpenFile(open)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// The most files that 1,000 jobs have open at a time. Each waits at the gate, as if for
/// the disk.
fn most_open_files(pool: &Pool, gate: &channel::Receiver<()>, open_gate: impl FnOnce()) -> usize {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let jobs: Vec<_> = (0..1000)
        .map(|_| {
            let (open, most, gate) = (Arc::clone(&open), Arc::clone(&most), gate.clone());
            pool.spawn(move || async move {
                let _file = OpenFile::open(open, &most);
                gate.recv().await;
            })
        })
        .collect();
    open_gate();
    jobs.into_iter().for_each(|job| job.join().expect("no job panics"));
    most.load(SeqCst)
}
// ANCHOR_END: max_tasks

#[test]
fn a_worker_has_no_more_tasks_than_its_limit() {
    unhung("a_worker_has_no_more_tasks_than_its_limit", || {
        let pool = common::builder(2).max_tasks_per_worker(16).build().unwrap();
        let (open_gate, gate) = channel::bounded(1);
        let most = most_open_files(&pool, &gate, || {
            while pool.metrics().jobs.tasks < 32 {
                std::thread::yield_now(); // until each worker has all that it may
            }
            drop(open_gate);
        });
        assert_eq!(most, 32);
    });
}

// ANCHOR: deadline
/// Who waits for longer than a second for an answer has gone: why compute it?
fn answer_in_time(pool: &Pool, number: u64, patience: Duration) -> JoinHandle<u64> {
    let options = JobOptions::new().name("answer").deadline(Instant::now() + patience);
    pool.with_options(options).spawn(move || async move { number * number })
}
// ANCHOR_END: deadline

#[test]
fn a_job_that_comes_too_late_never_runs() {
    unhung("a_job_that_comes_too_late_never_runs", || {
        let (pool, release) = common::held(8);
        let late = answer_in_time(&pool, 7, Duration::ZERO);
        let in_time = answer_in_time(&pool, 7, Duration::from_secs(3600));
        drop(release);
        assert!(late.join().unwrap_err().is_expired());
        assert_eq!(in_time.join().unwrap(), 49);
        assert_eq!(pool.shutdown_blocking().expired, 1);
    });
}

// ANCHOR: classes
/// Thumbnails may take their time; whoever asked for the page waits.
fn page_before_thumbnails(pool: &Pool, started: mpsc::Sender<&'static str>) {
    let background = pool.with_options(JobOptions::new().name("thumbnail").class(Class::Bulk));
    for _ in 0..1000 {
        let started = started.clone();
        drop(background.spawn(move || async move { started.send("thumbnail") }));
    }
    // Sent last, and is not refused either.
    drop(pool.spawn(move || async move { started.send("page") }));
}
// ANCHOR_END: classes

#[test]
fn bulk_work_lets_interactive_work_pass() {
    unhung("bulk_work_lets_interactive_work_pass", || {
        let (pool, release) = common::held(1000); // as many bulk jobs as there is room for
        let (started, starts) = mpsc::channel();
        page_before_thumbnails(&pool, started);
        drop(release);
        let order: Vec<_> = starts.iter().collect();
        let page = order.iter().position(|name| *name == "page").unwrap();
        assert!(page <= 8 && order.len() == 1001, "the page was number {page} of {}", order.len());
    });
}
