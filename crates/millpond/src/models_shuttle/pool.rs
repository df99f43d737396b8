//! Pools of two workers, and what other threads do to them.

use super::{Answers, explore, pool};
use crate::{
    JoinHandle,
    sync::{AtomicBool, AtomicUsize, Condvar, Mutex, lock, mpsc, thread, wait},
    yield_now::yield_now,
};
use std::{
    future::poll_fn,
    sync::{Arc, atomic::Ordering::SeqCst},
    task::{Poll, Waker},
    time::Duration,
};

/// An order in which a model fails can be run again, and so be understood, only if nothing but shuttle decides: no clock,
/// no hash, no thread of another's.
#[test]
fn shuttle_decides_on_all_that_happens() {
    shuttle::check_uncontrolled_nondeterminism(
        || shutdown_against_spawns(Some(Duration::from_millis(1))),
        1_000,
    );
}

#[test]
fn shuttle_jobs_from_outside_and_from_jobs_run_once_each() {
    explore(|| {
        const JOBS: usize = 3;
        let pool = pool(2);
        let runs: Arc<Vec<AtomicUsize>> = Arc::new((0..2 * JOBS).map(|_| AtomicUsize::new(0)).collect());
        let send = |from: usize| -> Vec<_> {
            let jobs = (from..JOBS).step_by(2).map(|job| {
                let runs = Arc::clone(&runs);
                pool.spawn(move || async move {
                    runs[job].fetch_add(1, SeqCst);
                    // To the worker's own backlog, from which the other one may take it.
                    let theirs = Arc::clone(&runs);
                    let inner = crate::spawn(move || async move { theirs[JOBS + job].fetch_add(1, SeqCst) });
                    yield_now().await;
                    inner.await.unwrap();
                })
            });
            jobs.collect()
        };
        let mut answers = Answers::default();
        thread::scope(|scope| {
            let other = scope.spawn(|| send(1));
            let jobs = send(0).into_iter().chain(other.join().unwrap());
            jobs.for_each(|job| answers.add(&job.join()));
        });
        assert!(runs.iter().all(|run| run.load(SeqCst) == 1));
        answers.completed += JOBS as u64;
        answers.assert_agree(pool.shutdown_blocking());
    });
}

/// Blocks the threads that wait for it, and counts.
#[derive(Default)]
struct Count {
    count: Mutex<usize>,
    changed: Condvar,
}

impl Count {
    fn add_one(&self) {
        *lock(&self.count) += 1;
        self.changed.notify_one();
    }

    /// Ended by the last `add_one`. If that never comes, shuttle finds that all threads wait.
    fn wait_for(&self, wanted: usize) {
        let mut count = lock(&self.count);
        while *count < wanted {
            count = wait(&self.changed, count);
        }
    }
}

/// One of the jobs blocks its worker until all the others have run. So the other worker must come to each of them, also to
/// those that the first has taken along.
#[test]
fn shuttle_nothing_waits_behind_a_busy_worker() {
    explore(|| {
        const OTHERS: usize = 5;
        let pool = pool(2);
        let ran = Arc::<Count>::default();
        let mut jobs = Vec::new();
        for job in 0..=OTHERS {
            let ran = Arc::clone(&ran);
            jobs.push(
                pool.spawn(
                    move || async move { if job == 0 { ran.wait_for(OTHERS) } else { ran.add_one() } },
                ),
            );
        }
        let mut answers = Answers::default();
        jobs.into_iter().for_each(|job| answers.add(&job.join()));
        answers.assert_agree(pool.shutdown_blocking());
    });
}

/// A worker is woken for its own task, which blocks it, and for a job too. The other one, which has more tasks and so was not
/// asked, must come to that job.
#[test]
fn shuttle_a_worker_woken_for_its_own_task_passes_the_queue_on() {
    explore(|| {
        let pool = pool(2);
        let (gate, ran) = (Arc::<Gate>::default(), Arc::<Count>::default());
        let (its_gate, its_count) = (Arc::clone(&gate), Arc::clone(&ran));
        let (tell, told) = mpsc::channel();
        // From the shared queue, so that its own task comes first when it is woken next.
        let blocking = pool.spawn(move || async move {
            tell.send(crate::worker_id()).unwrap();
            its_gate.pass().await;
            its_count.wait_for(1);
        });
        let taker = told.recv().unwrap();
        let other = pool.workers()[1 - taker.index()];
        for _ in 0..2 {
            drop(pool.spawn_on(other, std::future::pending::<()>).unwrap());
        }
        gate.open();
        let job = pool.spawn(move || async move { ran.add_one() });
        let mut answers = Answers { shut_down: 2, ..Answers::default() };
        answers.add(&job.join());
        answers.add(&blocking.join());
        answers.assert_agree(pool.shutdown_timeout_blocking(Duration::ZERO));
    });
}

#[test]
fn shuttle_an_abort_or_the_end_of_a_job_comes_first_and_the_handle_says_which() {
    explore(|| {
        let pool = pool(2);
        let mut answers = Answers::default();
        let ended = Arc::new(AtomicUsize::new(0));
        let jobs: Vec<_> = (0..2)
            .map(|_| {
                let ended = Arc::clone(&ended);
                pool.spawn(move || async move {
                    yield_now().await;
                    ended.fetch_add(1, SeqCst);
                })
            })
            .collect();
        let aborts: Vec<_> = jobs.iter().map(JoinHandle::abort_handle).collect();
        let aborting = thread::spawn(move || aborts.iter().for_each(crate::AbortHandle::abort));
        jobs.into_iter().for_each(|job| answers.add(&job.join()));
        aborting.join().unwrap();
        assert_eq!(answers.completed, ended.load(SeqCst) as u64);
        assert_eq!(answers.completed + answers.aborted, 2);
        answers.assert_agree(pool.shutdown_blocking());
    });
}

/// Ends the pool while another thread and a job send to it.
fn shutdown_against_spawns(limit: Option<Duration>) {
    let pool = pool(2);
    let handle = pool.handle();
    let from_job = handle.clone();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&sent);
    let sending = thread::spawn(move || {
        let mut jobs: Vec<JoinHandle<()>> = (0..2).map(|_| handle.spawn(yield_now)).collect();
        jobs.push(handle.spawn(move || async move {
            let job = from_job.spawn(yield_now);
            lock(&theirs).push(job);
        }));
        jobs
    });
    let receipt = match limit {
        Some(limit) => pool.shutdown_timeout_blocking(limit),
        None => pool.shutdown_blocking(),
    };
    let mut answers = Answers::default();
    sending.join().unwrap().into_iter().for_each(|job| answers.add(&job.join()));
    let sent = std::mem::take(&mut *lock(&sent));
    sent.into_iter().for_each(|job| answers.add(&job.join()));
    answers.assert_agree(receipt);
    if limit.is_none() {
        assert_eq!(receipt.accepted(), receipt.completed, "a drain runs all that was accepted");
    }
}

#[test]
fn shuttle_a_drain_runs_what_was_accepted_and_refuses_the_rest() {
    explore(|| shutdown_against_spawns(None));
}

#[test]
fn shuttle_a_cut_off_answers_every_handle() {
    explore(|| shutdown_against_spawns(Some(Duration::ZERO)));
}

/// Lets one task wait for one other thread.
#[derive(Default)]
struct Gate {
    open: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

impl Gate {
    async fn pass(&self) {
        poll_fn(|cx| {
            // Left first, and looked after: the opener sets first, and takes after.
            let displaced = lock(&self.waker).replace(cx.waker().clone());
            drop(displaced);
            if self.open.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn open(&self) {
        self.open.store(true, SeqCst);
        let waker = lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

#[test]
fn shuttle_wakes_from_other_threads_reach_jobs_and_bodies() {
    explore(|| {
        let pool = pool(2);
        let gates: Arc<[Gate; 3]> = Arc::default();
        let (first, last) = (Arc::clone(&gates), Arc::clone(&gates));
        // Opened by a plain thread, by the body, and by a job.
        let opening = thread::spawn(move || first[0].open());
        let job = pool.spawn(move || async move {
            last[0].pass().await;
            last[1].pass().await;
            last[2].open();
        });
        pool.block_on(async {
            gates[1].open();
            gates[2].pass().await;
        });
        let mut answers = Answers::default();
        answers.add(&job.join());
        opening.join().unwrap();
        answers.assert_agree(pool.shutdown_blocking());
    });
}

#[test]
fn shuttle_a_body_awaits_its_jobs_and_cuts_off_what_is_local() {
    explore(|| {
        let pool = pool(2);
        let sum = pool.block_on(async {
            drop(crate::spawn_local(std::future::pending::<()>()));
            let jobs: Vec<_> = (0..3).map(|n| crate::spawn(move || async move { n })).collect();
            let mut sum = 0;
            for job in jobs {
                sum += job.await.unwrap();
            }
            sum
        });
        assert_eq!(sum, 3);
        let receipt = pool.shutdown_blocking();
        assert_eq!((receipt.completed, receipt.cut_off, receipt.accepted()), (3, 1, 4));
    });
}

#[test]
fn shuttle_a_submit_waits_for_room_and_is_let_in_or_refused() {
    explore(|| {
        let pool = crate::Pool::builder()
            .worker_threads(2)
            .pin(crate::Pin::None)
            .driver(crate::Driver::Park)
            .queue_capacity(1)
            .build()
            .expect("a pool starts");
        let handle = pool.handle();
        let submitting = thread::spawn(move || {
            let jobs = (0..3).map(|_| handle.submit_blocking(yield_now).ok());
            jobs.collect::<Vec<_>>()
        });
        drop(pool.spawn(yield_now));
        let receipt = pool.shutdown_blocking();
        let mut answers = Answers { completed: 1, ..Answers::default() };
        for job in submitting.join().unwrap().into_iter().flatten() {
            answers.add(&job.join());
        }
        answers.assert_agree(receipt);
    });
}

#[test]
fn shuttle_each_message_of_a_channel_comes_to_one_worker() {
    explore(|| {
        const MESSAGES: usize = 4;
        let pool = pool(2);
        let (sender, receiver) = crate::channel::bounded(1);
        let counts: Vec<_> = (0..2)
            .map(|_| {
                let receiver = receiver.clone();
                pool.spawn(move || async move {
                    let mut count = 0;
                    while let Some(()) = receiver.recv().await {
                        count += 1;
                    }
                    count
                })
            })
            .collect();
        drop(receiver);
        let sending = sender.clone();
        drop(pool.spawn(move || async move {
            for _ in 0..MESSAGES / 2 {
                sending.send(()).await.unwrap();
            }
        }));
        (0..MESSAGES / 2).for_each(|_| sender.send_blocking(()).unwrap());
        drop(sender);
        let count: usize = counts.into_iter().map(|count| count.join().unwrap()).sum();
        assert_eq!(count, MESSAGES);
        assert_eq!(pool.shutdown_blocking().completed, 3);
    });
}
