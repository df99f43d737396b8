//! What a snapshot says, and that it adds up while the pool works.

mod common;

use common::unhung;
use millpond::{
    JobOptions, Pool,
    metrics::{JobCounts, Metrics},
};
use std::sync::{
    Arc, Barrier,
    atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    mpsc,
};

/// A pool whose every worker waits at a barrier, which the returned one lets go.
fn held(pool: &Pool) -> (Arc<Barrier>, Vec<millpond::JoinHandle<()>>) {
    let workers = pool.workers().len();
    let (up, go) = (Arc::new(Barrier::new(workers + 1)), Arc::new(Barrier::new(workers + 1)));
    let hold = |_: &millpond::WorkerId| {
        let (up, go) = (Arc::clone(&up), Arc::clone(&go));
        move || async move {
            up.wait();
            go.wait();
        }
    };
    let jobs = pool.workers().iter().map(|worker| pool.spawn_on(*worker, hold(worker)).unwrap()).collect();
    up.wait();
    (go, jobs)
}

fn check(counts: &JobCounts) {
    assert_eq!(counts.accepted, counts.queued + counts.tasks + counts.ended(), "{counts:?}");
    assert!(counts.started >= counts.tasks && counts.started <= counts.accepted, "{counts:?}");
}

/// Every part adds up, and the whole is the sum of its parts.
fn check_all(metrics: &Metrics) {
    [metrics.jobs, metrics.blocking, metrics.block_on].iter().for_each(check);
    let of_workers =
        |count: fn(&millpond::metrics::WorkerMetrics) -> u64| metrics.workers.iter().map(count).sum::<u64>();
    let others = |count: fn(&JobCounts) -> u64| count(&metrics.blocking) + count(&metrics.block_on);
    assert_eq!(metrics.jobs.started, of_workers(|worker| worker.started) + others(|counts| counts.started));
    assert_eq!(metrics.jobs.tasks, of_workers(|worker| worker.tasks) + others(|counts| counts.tasks));
    assert_eq!(
        metrics.jobs.completed,
        of_workers(|worker| worker.completed) + others(|counts| counts.completed)
    );
}

/// No count that only goes up has gone down.
fn check_order(before: &JobCounts, after: &JobCounts) {
    let ups = |counts: &JobCounts| {
        [counts.accepted, counts.started, counts.completed, counts.panicked, counts.aborted, counts.ended()]
    };
    assert!(
        ups(before).iter().zip(ups(after)).all(|(before, after)| *before <= after),
        "{before:?} then {after:?}"
    );
}

#[test]
fn a_snapshot_says_where_every_job_is() {
    unhung("a_snapshot_says_where_every_job_is", || {
        let pool = common::pool(2);
        let (go, holding) = held(&pool);
        let free: Vec<_> = (0..10).map(|_| pool.spawn(|| async {})).collect();
        let bound: Vec<_> = (0..3).map(|_| pool.spawn_on(pool.workers()[1], || async {}).unwrap()).collect();
        free[0].abort();
        let metrics = pool.metrics();
        check_all(&metrics);
        let JobCounts { accepted, queued, tasks, started, .. } = metrics.jobs;
        assert_eq!((accepted, queued, tasks, started), (15, 13, 2, 2));
        assert_eq!((metrics.shared_queue, metrics.workers[0].queued, metrics.workers[1].queued), (10, 0, 3));
        assert_eq!(metrics.workers.iter().map(|worker| worker.tasks).collect::<Vec<_>>(), [1, 1]);
        go.wait();
        for job in holding.into_iter().chain(free).chain(bound) {
            let _ = job.join();
        }
        let handle = pool.handle();
        let receipt = pool.shutdown_blocking();
        let metrics = handle.metrics();
        check_all(&metrics);
        assert_eq!((metrics.jobs.queued, metrics.jobs.tasks), (0, 0));
        assert_eq!((metrics.jobs.completed, metrics.jobs.aborted), (14, 1));
        assert_eq!(metrics.jobs.accepted, receipt.accepted());
        assert_eq!((metrics.workers[0].accepted, metrics.workers[1].accepted), (1, 4));
    });
}

#[test]
fn every_kind_of_end_is_counted_as_in_the_receipt() {
    unhung("every_kind_of_end_is_counted_as_in_the_receipt", || {
        let pool = common::pool(2);
        let job = pool.spawn(|| async { panic!("on purpose") });
        assert!(job.join().unwrap_err().is_panic());
        pool.spawn_blocking(|| ()).join().unwrap();
        pool.block_on(async { millpond::spawn_local(async {}).await.unwrap() });
        let waiting = pool.spawn(std::future::pending::<()>);
        let aborted = pool.spawn(std::future::pending::<()>);
        aborted.abort();
        assert!(aborted.join().unwrap_err().is_aborted());
        // A handle is told a moment before its job is counted, and the aborted one is let go of when its turn comes.
        let mut before = pool.metrics();
        while before.jobs.queued + before.jobs.tasks > 1 {
            check_all(&before);
            before = pool.metrics();
        }
        let handle = pool.handle();
        let receipt = pool.shutdown_timeout_blocking(std::time::Duration::from_millis(50));
        assert!(waiting.join().unwrap_err().is_shutdown());
        let after = handle.metrics();
        check_all(&after);
        check_order(&before.jobs, &after.jobs);
        let counts = after.jobs;
        assert_eq!(
            (counts.completed, counts.panicked, counts.aborted, counts.cut_off, counts.never_started),
            (receipt.completed, receipt.panicked, receipt.aborted, receipt.cut_off, receipt.never_started)
        );
        assert_eq!((after.blocking.completed, after.block_on.completed), (1, 1));
        assert_eq!((after.jobs.queued, after.jobs.tasks), (0, 0));
    });
}

#[test]
fn a_closure_that_is_given_up_is_counted_once() {
    unhung("a_closure_that_is_given_up_is_counted_once", || {
        let pool = common::pool(1);
        let (begun, has_begun) = mpsc::channel();
        let (release, gate) = mpsc::channel::<()>();
        let (ended, has_ended) = mpsc::channel::<()>();
        let closure = pool.spawn_blocking(move || {
            let _ended = ended;
            begun.send(()).unwrap();
            gate.recv().unwrap_or_default();
        });
        has_begun.recv().unwrap();
        let counts = pool.metrics().blocking;
        check(&counts);
        assert_eq!((counts.started, counts.tasks, counts.queued), (1, 1, 0));
        let handle = pool.handle();
        drop(pool);
        assert!(closure.join().unwrap_err().is_shutdown());
        let given_up = handle.metrics().blocking;
        check(&given_up);
        assert_eq!((given_up.started, given_up.cut_off, given_up.tasks, given_up.queued), (1, 1, 0, 0));
        drop(release);
        // Ended by the closure's end.
        has_ended.recv().unwrap_err();
        assert_eq!(handle.metrics().blocking, given_up);
    });
}

/// Takes snapshots beside what `feed` does in two threads, which counts the jobs that it has sent.
fn watched(pool: &Pool, feed: impl Fn(usize, &AtomicU64) + Sync) {
    let (sent, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let watch = || {
        let mut before = pool.metrics();
        while !done.load(SeqCst) {
            let least = sent.load(SeqCst);
            let metrics = pool.metrics();
            check_all(&metrics);
            check_order(&before.jobs, &metrics.jobs);
            assert!(metrics.jobs.accepted >= least);
            before = metrics;
        }
    };
    std::thread::scope(|scope| {
        let watchers = [scope.spawn(watch), scope.spawn(watch)];
        let feeders = [0, 1].map(|feeder| {
            let (feed, sent) = (&feed, &sent);
            scope.spawn(move || feed(feeder, sent))
        });
        let fed = feeders.map(|feeder| feeder.join());
        done.store(true, SeqCst);
        watchers.into_iter().for_each(|watcher| watcher.join().unwrap());
        fed.into_iter().for_each(|fed| fed.unwrap());
    });
}

#[test]
fn a_snapshot_adds_up_at_every_instant() {
    const ROUNDS: u64 = 400;
    const JOBS: u64 = 64;
    unhung("a_snapshot_adds_up_at_every_instant", || {
        let pool = common::pool(3);
        watched(&pool, |feeder, sent| {
            for round in 0..ROUNDS {
                let worker = pool.workers()[(round % 3) as usize];
                let jobs: Vec<_> = (0..JOBS)
                    .map(|job| match job % 8 {
                        0 if feeder == 0 => pool.spawn_on(worker, || async {}).unwrap(),
                        1 => pool.spawn(|| async { drop(millpond::spawn(|| async {}).await) }),
                        2 => pool.spawn(|| async { millpond::spawn_local(async {}).await.unwrap() }),
                        3 => pool.spawn_blocking(|| ()),
                        4 => pool.spawn(std::future::pending),
                        _ => pool.spawn(|| async {}),
                    })
                    .collect();
                sent.fetch_add(JOBS, SeqCst);
                jobs.iter().skip(4).step_by(8).for_each(|job| job.abort());
                jobs.into_iter().for_each(|job| drop(job.join()));
            }
        });
        let handle = pool.handle();
        let receipt = pool.shutdown_blocking();
        let jobs = handle.metrics().jobs;
        assert_eq!((jobs.accepted, jobs.aborted), (receipt.accepted(), receipt.aborted));
        // Two of eight sent another, and one of eight was aborted.
        assert_eq!(jobs.accepted, 2 * ROUNDS * (JOBS + JOBS / 8 * 2));
        assert_eq!(jobs.aborted, 2 * ROUNDS * JOBS / 8);
    });
}

#[test]
fn no_job_of_a_snapshot_has_ended_before_it_started() {
    const JOBS: u64 = 50_000;
    unhung("no_job_of_a_snapshot_has_ended_before_it_started", || {
        let pool = common::pool(2);
        watched(&pool, |_, sent| {
            for _ in 0..JOBS {
                drop(pool.spawn(|| async {}));
                sent.fetch_add(1, SeqCst);
            }
        });
        assert_eq!(pool.shutdown_blocking().completed, 2 * JOBS);
    });
}

#[test]
fn the_wait_in_the_queue_is_that_of_the_jobs() {
    unhung("the_wait_in_the_queue_is_that_of_the_jobs", || {
        let pool = common::pool(2);
        let (go, holding) = held(&pool);
        let before = pool.metrics().queue_wait().count();
        let start = std::time::Instant::now();
        let jobs: Vec<_> = (0..5).map(|_| pool.spawn(|| async {})).collect();
        let sent = start.elapsed();
        std::thread::park_timeout(std::time::Duration::from_millis(30));
        let let_go = start.elapsed();
        go.wait();
        holding.into_iter().chain(jobs).for_each(|job| job.join().unwrap());
        let waits = pool.metrics().queue_wait();
        // All but those that are not spoken for yet; the first of five, after a pause, has a stamp of its own.
        assert!(waits.count() > before && waits.count() <= 7, "{waits:?}");
        assert!(waits.max() >= let_go - sent, "{waits:?} in {let_go:?}");
    });
}

#[test]
fn a_long_wait_for_nothing_is_idle_time_and_a_long_poll_is_busy_time() {
    unhung("a_long_wait_for_nothing_is_idle_time_and_a_long_poll_is_busy_time", || {
        let pool = common::pool(1);
        let (working, has_begun) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let idle = pool.metrics();
        let job = pool.spawn(move || async move {
            working.send(()).unwrap();
            wait.recv().unwrap();
        });
        has_begun.recv().unwrap();
        let begun = pool.metrics();
        // In the middle of the poll, and of it alone, the worker's time is busy time.
        let mut now = pool.metrics();
        while now.uptime - begun.uptime < std::time::Duration::from_millis(5) {
            now = pool.metrics();
        }
        assert_eq!(now.workers[0].idle, begun.workers[0].idle);
        assert!(now.workers[0].busy - begun.workers[0].busy >= std::time::Duration::from_millis(5));
        assert_eq!((now.workers[0].tasks, now.workers[0].started), (1, 1));
        go.send(()).unwrap();
        job.join().unwrap();
        let mut after = pool.metrics();
        while after.workers[0].idle == begun.workers[0].idle {
            after = pool.metrics();
        }
        assert!(after.workers[0].idle > idle.workers[0].idle);
        assert!(after.poll_time().max() >= std::time::Duration::from_millis(5));
        let worker = &after.workers[0];
        assert!(worker.busy + worker.idle <= after.uptime, "{worker:?}");
    });
}

/// Whoever takes the difference of two snapshots relies on it.
#[test]
fn busy_and_idle_time_never_go_down() {
    unhung("busy_and_idle_time_never_go_down", || {
        let pool = common::pool(1);
        let done = AtomicBool::new(false);
        let watch = || {
            let mut before = pool.metrics();
            while !done.load(SeqCst) {
                let now = pool.metrics();
                let (then, worker) = (&before.workers[0], &now.workers[0]);
                assert!(then.busy <= worker.busy && then.idle <= worker.idle, "{then:?} then {worker:?}");
                before = now;
            }
        };
        std::thread::scope(|scope| {
            let watchers = [scope.spawn(watch), scope.spawn(watch)];
            // It falls asleep after each.
            (0..20_000).for_each(|_| pool.spawn(|| async {}).join().unwrap());
            done.store(true, SeqCst);
            watchers.into_iter().for_each(|watcher| watcher.join().unwrap());
        });
    });
}

/// Of a job, too, that its worker had left to others, who then did not come.
#[test]
fn a_long_poll_of_a_job_that_was_left_to_others_is_busy_time() {
    unhung("a_long_poll_of_a_job_that_was_left_to_others_is_busy_time", || {
        let pool = common::pool(2);
        let [loaded, other] = [0, 1].map(|worker| pool.workers()[worker]);
        // Far above its share.
        let waiting: Vec<_> =
            (0..40).map(|_| pool.spawn_on(loaded, std::future::pending::<()>).unwrap()).collect();
        while pool.metrics().workers[0].tasks < 40 {}
        let let_other_go = common::hold(&pool, other.index());
        let (working, has_begun) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let job = pool.spawn(move || async move {
            working.send(()).unwrap();
            wait.recv().unwrap();
        });
        has_begun.recv().unwrap();
        let begun = pool.metrics();
        let mut now = pool.metrics();
        while now.uptime - begun.uptime < std::time::Duration::from_millis(5) {
            now = pool.metrics();
        }
        assert_eq!(now.workers[0].idle, begun.workers[0].idle);
        go.send(()).unwrap();
        job.join().unwrap();
        drop((let_other_go, waiting));
    });
}

#[test]
fn parks_wakes_and_batches_are_counted() {
    unhung("parks_wakes_and_batches_are_counted", || {
        let pool = common::pool(2);
        let (go, holding) = held(&pool);
        let jobs: Vec<_> = (0..100).map(|_| pool.spawn(|| async {})).collect();
        go.wait();
        holding.into_iter().chain(jobs).for_each(|job| job.join().unwrap());
        while pool.metrics().workers.iter().any(|worker| worker.parks == 0) {}
        let before = pool.metrics();
        for _ in 0..20 {
            pool.spawn_on(pool.workers()[0], || async {
                let other = millpond::Handle::current().workers()[1];
                millpond::spawn_on(other, || async {}).unwrap().await.unwrap();
            })
            .unwrap()
            .join()
            .unwrap();
        }
        let metrics = pool.metrics();
        let sum = |count: fn(&millpond::metrics::WorkerMetrics) -> u64| {
            metrics.workers.iter().map(count).sum::<u64>()
        };
        assert!(sum(|worker| worker.batch_jobs) >= 100 && sum(|worker| worker.batches) <= 100);
        assert!(
            sum(|worker| worker.batch_jobs) > sum(|worker| worker.batches),
            "a backlog of 100 makes batches"
        );
        assert_eq!(metrics.workers[0].accepted - before.workers[0].accepted, 20);
        assert_eq!(metrics.workers[1].accepted - before.workers[1].accepted, 20);
        let received =
            |metrics: &Metrics| metrics.workers.iter().map(|worker| worker.wakes_received).sum::<u64>();
        assert!(received(&metrics) > received(&before), "{metrics:?}");
        assert!(sum(|worker| worker.polls) > 120);
    });
}

#[test]
fn a_handle_with_options_names_its_jobs_and_no_others() {
    unhung("a_handle_with_options_names_its_jobs_and_no_others", || {
        let pool = common::pool(1);
        let named = pool.with_options(JobOptions::new().name("hash"));
        let text = |job: &millpond::JoinHandle<()>| format!("{job:?}");
        let jobs = [
            named.spawn(|| async {}),
            named.clone().spawn_by_key(&1, || async {}),
            named.spawn_blocking(|| ()),
            named.submit_blocking(|| async {}).unwrap(),
            named.try_spawn(|| async {}).unwrap(),
        ];
        for job in jobs {
            assert!(text(&job).contains("hash") && text(&job).contains(file!()), "{job:?}");
            job.join().unwrap();
        }
        let plain = pool.spawn(|| async {});
        assert!(!text(&plain).contains("hash") && text(&plain).contains(file!()), "{plain:?}");
        plain.join().unwrap();
        pool.block_on(async {
            let here = std::panic::Location::caller().line();
            let job = millpond::spawn(|| async {});
            assert!(text(&job).contains(&format!("{}:{}:", file!(), here + 1)), "{job:?}");
            job.await.unwrap();
        });
    });
}
