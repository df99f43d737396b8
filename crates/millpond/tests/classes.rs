//! Interactive jobs beside bulk ones: counted in starts, so that no clock is asked.

mod common;

use common::{builder, held, pool, unhung};
use millpond::{Class, Handle, JobOptions, JoinHandle, Pool, TrySpawnError};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::SeqCst},
    mpsc,
};

/// A bulk job in eight starts, or more.
const WEIGHT: usize = 8;

fn bulk(pool: &Handle) -> Handle {
    pool.with_options(JobOptions::new().class(Class::Bulk))
}

/// Sends jobs of both classes to one worker that is held up, lets it go, and gives the order of their starts.
fn order(bulk_jobs: usize, interactive_jobs: usize) -> Vec<Class> {
    let (pool, release) = held(bulk_jobs + interactive_jobs);
    let order = Arc::new(Mutex::new(Vec::new()));
    let send = |pool: &Handle, class: Class, jobs: usize| -> Vec<JoinHandle<()>> {
        let send = |_| {
            let order = Arc::clone(&order);
            pool.spawn(move || async move { order.lock().unwrap().push(class) })
        };
        (0..jobs).map(send).collect()
    };
    let mut jobs = send(&bulk(&pool), Class::Bulk, bulk_jobs);
    jobs.extend(send(&pool, Class::Interactive, interactive_jobs));
    drop(release);
    jobs.into_iter().for_each(|job| job.join().unwrap());
    let order = order.lock().unwrap();
    order.clone()
}

#[test]
fn bulk_work_that_came_before_holds_interactive_jobs_up_by_an_eighth() {
    unhung("bulk_work_that_came_before_holds_interactive_jobs_up_by_an_eighth", || {
        let order = order(20_000, 700);
        let last = order.iter().rposition(|class| *class == Class::Interactive).unwrap();
        assert!(last <= 700 * WEIGHT / (WEIGHT - 1), "the last of 700 started after {last} others");
    });
}

#[test]
fn bulk_work_gets_its_weight_beside_interactive_work() {
    unhung("bulk_work_gets_its_weight_beside_interactive_work", || {
        let order = order(1_000, 8_000);
        let mut started = 0;
        for (starts, class) in order.iter().enumerate() {
            started += usize::from(*class == Class::Bulk);
            let both_wait = started < 1_000 && starts - started < 8_000;
            assert!(!both_wait || started + 1 >= starts / WEIGHT, "{started} of {starts} starts are bulk");
        }
        // And all of them once nothing else waits.
        assert_eq!(started, 1_000);
    });
}

#[test]
fn an_interactive_job_waits_for_few_of_a_million_bulk_ones() {
    unhung("an_interactive_job_waits_for_few_of_a_million_bulk_ones", || {
        const JOBS: usize = 1_000_000;
        let (pool, release) = held(1);
        let background = bulk(&pool);
        let started = Arc::new(AtomicUsize::new(0));
        let (waited, waits) = mpsc::channel();
        for job in 0..JOBS {
            let (started, waited) = (Arc::clone(&started), waited.clone());
            drop(background.spawn(move || async move {
                let before = started.fetch_add(1, SeqCst) + 1;
                if job % 1_000 == 0 {
                    // Beside all the bulk work that is left, of which this worker has a batch at hand.
                    drop(millpond::spawn(move || async move {
                        waited.send(started.load(SeqCst) - before).unwrap();
                    }));
                }
            }));
        }
        drop((waited, release));
        let waits: Vec<usize> = waits.into_iter().collect();
        assert_eq!((waits.len(), started.load(SeqCst)), (1_000, JOBS));
        let longest = waits.into_iter().max().unwrap();
        assert!(longest <= 1, "an interactive job waited for {longest} bulk ones");
    });
}

#[test]
fn an_interactive_job_behind_a_busy_worker_goes_before_bulk_work() {
    unhung("an_interactive_job_behind_a_busy_worker_goes_before_bulk_work", || {
        let pool = builder(2).build().unwrap();
        let (release, background) = (common::hold(&pool, 1), bulk(&pool));
        let started = Arc::new(AtomicUsize::new(0));
        let (stole, stolen) = mpsc::channel();
        let theirs = Arc::clone(&started);
        // Holds its worker until the job that it has at hand is run by the other one.
        let holder = pool.spawn(move || async move {
            for _ in 0..1_000 {
                let started = Arc::clone(&theirs);
                drop(background.spawn(move || async move { started.fetch_add(1, SeqCst) }));
            }
            drop(millpond::spawn(move || async move { stole.send(theirs.load(SeqCst)).unwrap() }));
            drop(release);
            stolen.recv().unwrap()
        });
        let before = holder.join().unwrap();
        assert!(before <= 2, "{before} bulk jobs went before it");
        assert_eq!(pool.shutdown_blocking().completed, 1_003);
        assert_eq!(started.load(SeqCst), 1_000);
    });
}

#[test]
fn each_class_has_the_capacity_to_itself() {
    unhung("each_class_has_the_capacity_to_itself", || {
        let (pool, release) = held(2);
        let background = bulk(&pool);
        let jobs: Vec<_> = (0..2).map(|n| background.try_spawn(move || async move { n }).unwrap()).collect();
        assert!(background.try_spawn(|| async {}).unwrap_err().is_full());
        let first = pool.try_spawn(|| async { 10 }).unwrap();
        let second = pool.try_spawn(|| async { 11 }).unwrap();
        assert!(matches!(pool.try_spawn(|| async {}), Err(TrySpawnError::Full(_))));
        let metrics = pool.metrics();
        assert_eq!((metrics.shared_queue, metrics.bulk_queue, metrics.queue_capacity), (2, 2, 2));
        assert_eq!((pool.queued_jobs(), metrics.jobs.queued), (4, 4));
        drop(release);
        let results = jobs.into_iter().chain([first, second]).map(|job| job.join().unwrap());
        assert_eq!(results.collect::<Vec<_>>(), [0, 1, 10, 11]);
    });
}

#[test]
fn each_class_has_its_own_times_in_the_metrics() {
    for class in [Class::Interactive, Class::Bulk] {
        let pool = pool(2);
        let sender = pool.with_options(JobOptions::new().class(class));
        (0..30).for_each(|_| sender.spawn(|| async {}).join().unwrap());
        let metrics = pool.metrics();
        // One at a time, each may be timed; how many are is left to the pool.
        let timed = [metrics.queue_wait().count() > 0, metrics.bulk_queue_wait().count() > 0];
        assert_eq!(timed, [class == Class::Interactive, class == Class::Bulk]);
    }
}

fn ends(end: impl FnOnce(Pool) -> millpond::Receipt + Send + 'static) -> (millpond::Receipt, Vec<bool>) {
    let (pool, release) = held(100);
    let background = bulk(&pool);
    let jobs: Vec<_> = (0..5)
        .map(|_| background.spawn(|| async {}))
        .chain((0..5).map(|_| pool.spawn(|| async {})))
        .collect();
    let handle = background.clone();
    let ended = std::thread::spawn(move || end(pool));
    // Ended by the shutdown's first step, which closes both queues.
    while !matches!(handle.try_spawn(|| async {}), Err(TrySpawnError::Closed(_))) {
        std::thread::yield_now();
    }
    drop(release);
    let receipt = ended.join().unwrap();
    (receipt, jobs.into_iter().map(|job| job.join().is_ok()).collect())
}

#[test]
fn a_shutdown_ends_the_jobs_of_both_classes() {
    unhung("a_shutdown_ends_the_jobs_of_both_classes", || {
        let (receipt, done) = ends(Pool::shutdown_blocking);
        assert!(done.iter().all(|done| *done) && receipt.never_started == 0, "{receipt:?}");
        let (receipt, done) = ends(|pool| pool.shutdown_timeout_blocking(std::time::Duration::ZERO));
        assert!(done.iter().all(|done| !done) && receipt.never_started >= 10, "{receipt:?}");
    });
}
