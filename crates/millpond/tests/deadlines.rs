//! A job whose deadline has passed when its turn comes never runs.

mod common;

use common::unhung;
use millpond::{Handle, JobOptions, JoinHandle};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::{Duration, Instant},
};

/// A handle whose jobs are too late from the start.
fn late(pool: &Handle) -> Handle {
    pool.with_options(JobOptions::new().deadline(Instant::now()))
}

/// One that counts what runs of it, and tells when the closure is dropped.
fn counted(ran: &Arc<AtomicUsize>) -> impl Fn() -> std::future::Ready<()> + Send + Clone + 'static {
    let ran = Arc::clone(ran);
    move || {
        ran.fetch_add(1, SeqCst);
        std::future::ready(())
    }
}

#[test]
fn a_job_whose_deadline_has_passed_never_runs_whichever_way_it_was_sent() {
    unhung("a_job_whose_deadline_has_passed_never_runs_whichever_way_it_was_sent", || {
        let pool = common::pool(2);
        let (late, ran) = (late(&pool), Arc::new(AtomicUsize::new(0)));
        let job = counted(&ran);
        let mut handles: Vec<JoinHandle<()>> = vec![
            late.spawn(job.clone()),
            late.try_spawn(job.clone()).unwrap(),
            late.submit_blocking(job.clone()).unwrap(),
            late.spawn_on(pool.workers()[1], job.clone()).unwrap(),
            late.spawn_by_key("key", job.clone()),
        ];
        let closure = job.clone();
        handles.push(late.spawn_blocking(move || drop(closure())));
        handles.extend(late.broadcast(move |_| job()).into_handles());
        let sent = handles.len() as u64;
        for handle in handles {
            let error = handle.join().unwrap_err();
            assert!(error.is_expired() && !error.is_cancelled() && !error.is_panic(), "{error}");
            assert_eq!(error.to_string(), "the job's deadline passed before it was started");
            assert_eq!(error.worker(), None);
        }
        let handle = pool.handle();
        let receipt = pool.shutdown_blocking();
        assert_eq!((receipt.expired, receipt.accepted()), (sent, sent));
        let jobs = handle.metrics().jobs;
        assert_eq!((jobs.expired, jobs.accepted, jobs.started), (sent, sent, 0));
        assert_eq!(
            (ran.load(SeqCst), Arc::strong_count(&ran)),
            (0, 1),
            "each closure was dropped, and none called"
        );
    });
}

#[test]
fn a_deadline_that_passes_in_the_queue_counts_when_the_turn_comes() {
    unhung("a_deadline_that_passes_in_the_queue_counts_when_the_turn_comes", || {
        let pool = common::pool(1);
        let let_go = common::hold(&pool, 0);
        let deadline = Instant::now() + Duration::from_millis(20);
        let soon = pool.with_options(JobOptions::new().deadline(deadline));
        let far = pool.with_options(JobOptions::new().deadline(Instant::now() + Duration::from_secs(3600)));
        let (late, in_time) = (soon.spawn(|| async { "late" }), far.spawn(|| async { "in time" }));
        assert_eq!(pool.metrics().jobs.queued, 2);
        while Instant::now() < deadline {
            std::hint::spin_loop();
        }
        assert!(!late.is_finished(), "it is told when its turn comes, and not before");
        let_go.send(()).unwrap();
        assert!(late.join().unwrap_err().is_expired());
        assert_eq!(in_time.join().unwrap(), "in time");
    });
}

#[test]
fn a_deadline_does_not_end_what_has_started() {
    unhung("a_deadline_does_not_end_what_has_started", || {
        let pool = common::pool(1);
        // Until one starts in time, which a busy machine may deny the first.
        let (deadline, job, answer) = loop {
            let (started, has_started) = mpsc::channel();
            let (answer, wait) = futures_channel::oneshot::channel();
            let deadline = Instant::now() + Duration::from_millis(50);
            let job = pool.with_options(JobOptions::new().deadline(deadline)).spawn(move || async move {
                started.send(()).unwrap();
                // Ended by the test.
                wait.await.unwrap()
            });
            if has_started.recv().is_ok() {
                break (deadline, job, answer);
            }
        };
        while Instant::now() < deadline {
            std::hint::spin_loop();
        }
        answer.send("done").unwrap();
        assert_eq!(job.join().unwrap(), "done");
    });
}

#[test]
fn an_abort_that_comes_before_the_turn_is_an_abort() {
    unhung("an_abort_that_comes_before_the_turn_is_an_abort", || {
        let pool = common::pool(1);
        let let_go = common::hold(&pool, 0);
        let job = late(&pool).spawn(|| async {});
        job.abort();
        assert!(job.join().unwrap_err().is_aborted());
        let_go.send(()).unwrap();
        let receipt = pool.shutdown_blocking();
        assert_eq!((receipt.aborted, receipt.expired), (1, 0));
    });
}
