//! The pieces of the chapter "From a hand-made pool on flume".

use millpond::{Pool, channel};
use std::time::Duration;

enum Job {
    Add(u64, u64),
    Mul(u64, u64),
}

fn answer(job: Job) -> u64 {
    match job {
        Job::Add(a, b) => a + b,
        Job::Mul(a, b) => a * b,
    }
}

#[test]
fn a_loop_on_each_worker_takes_typed_jobs() {
    let pool = Pool::builder().worker_threads(2).build().expect("two workers start");
    // ANCHOR: channel
    let (jobs, queue) = channel::bounded(1024);
    let loops = pool.broadcast(move |_worker| {
        let queue = queue.clone();
        async move {
            let mut sum = 0;
            while let Some(job) = queue.recv().await {
                sum += answer(job);
            }
            sum
        }
    });
    for number in 0..1000 {
        let job = if number % 2 == 0 { Job::Add(number, 1) } else { Job::Mul(number, 2) };
        jobs.send_blocking(job).expect("the loops run");
    }
    drop(jobs); // the end of the loops
    let sums = loops.join().into_iter().map(|sum| sum.expect("no loop panicked"));
    assert_eq!(sums.sum::<u64>(), 750_000);
    // ANCHOR_END: channel
}

#[test]
fn a_full_queue_gives_the_job_back() {
    let pool = Pool::builder().worker_threads(1).queue_capacity(1).build().expect("a worker starts");
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (began, begun) = std::sync::mpsc::channel();
    let _held = pool.spawn(move || async move {
        began.send(()).expect("the test waits");
        let _ = wait.recv();
    });
    begun.recv().expect("the worker is held");
    let _queued = pool.spawn(|| async {});
    // ANCHOR: full
    let refused = pool.try_spawn(|| async { 42 }).expect_err("one job waits, and there is room for one");
    assert!(refused.is_full());
    let closure = refused.into_inner(); // to be sent elsewhere, or later
    // ANCHOR_END: full
    drop(go_on);
    let sent = pool.submit_blocking(closure).expect("the pool runs");
    assert_eq!(sent.join().expect("it ran"), 42);
}

#[test]
fn the_end_says_what_became_of_each_job() {
    let pool = Pool::builder().worker_threads(2).build().expect("two workers start");
    // ANCHOR: stop
    let jobs: Vec<_> = (0..100).map(|number| pool.spawn(move || async move { number })).collect();
    let receipt = pool.shutdown_timeout_blocking(Duration::from_secs(5));
    println!("{receipt:?}");
    // ANCHOR_END: stop
    assert_eq!(receipt.completed, 100);
    assert_eq!(jobs.into_iter().map(|job| job.join().expect("it ran")).sum::<i32>(), 4950);
}
