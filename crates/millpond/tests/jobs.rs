//! The promises about jobs while the pool runs.

mod common;

use common::{pool, unhung, yield_now};
use std::{
    collections::HashSet,
    rc::Rc,
    sync::{
        Arc, Barrier, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread::{self, ThreadId},
};

#[test]
fn exactly_one_worker_runs_each_job() {
    unhung("exactly_one_worker_runs_each_job", || {
        const JOBS: usize = 20_000;
        const PRODUCERS: usize = 4;
        let pool = pool(3);
        let runs: Arc<Vec<AtomicUsize>> = Arc::new((0..JOBS).map(|_| AtomicUsize::new(0)).collect());
        thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                let (handle, runs) = (pool.handle(), Arc::clone(&runs));
                scope.spawn(move || {
                    for job in (producer..JOBS).step_by(PRODUCERS) {
                        let runs = Arc::clone(&runs);
                        drop(handle.spawn(move || async move {
                            yield_now().await;
                            runs[job].fetch_add(1, SeqCst);
                        }));
                    }
                });
            }
        });
        assert_eq!(pool.shutdown_blocking().completed, JOBS as u64);
        assert!(runs.iter().all(|run| run.load(SeqCst) == 1));
    });
}

#[test]
fn a_job_never_starts_after_its_handle_said_otherwise() {
    unhung("a_job_never_starts_after_its_handle_said_otherwise", || {
        let pool = pool(2);
        for _ in 0..2_000 {
            let started = Arc::new(AtomicBool::new(false));
            let theirs = Arc::clone(&started);
            let job = pool.spawn(move || async move { theirs.store(true, SeqCst) });
            job.abort();
            match job.join() {
                Ok(()) => assert!(started.load(SeqCst)),
                Err(error) if error.worker().is_none() => {
                    assert!(error.is_aborted());
                    // Whatever worker takes the job now must leave it alone.
                    pool.spawn(|| async {}).join().unwrap();
                    assert!(!started.load(SeqCst), "it started after its handle said that it never would");
                }
                Err(error) => assert!(error.is_aborted()),
            }
        }
    });
}

#[test]
fn every_handle_resolves() {
    unhung("every_handle_resolves", || {
        for round in 0..50 {
            let pool = pool(2);
            let forever = |kept: usize| {
                pool.spawn(move || async move {
                    let _kept = kept;
                    std::future::pending::<usize>().await
                })
            };
            let mut handles: Vec<_> = (0..40).map(|n| pool.spawn(move || async move { n })).collect();
            handles.extend((0..20).map(forever));
            handles.push(pool.spawn(|| async { panic!("on purpose") }));
            handles.extend((0..5).map(|n| pool.spawn_blocking(move || n)));
            handles.iter().step_by(7).for_each(millpond::JoinHandle::abort);
            if round % 2 == 0 {
                drop(pool);
            } else {
                pool.shutdown_timeout_blocking(std::time::Duration::ZERO);
            }
            for handle in handles {
                let _ = handle.join();
            }
        }
    });
}

#[test]
fn a_panic_harms_its_own_job_only() {
    unhung("a_panic_harms_its_own_job_only", || {
        let pool = pool(1);
        let before = pool.spawn(|| async {
            yield_now().await;
            "beside"
        });
        let in_closure = pool.spawn(|| {
            let ready: fn() -> std::future::Ready<()> = || panic!("in the closure");
            ready()
        });
        let place = String::from("future");
        let in_future = pool.spawn(|| async move {
            yield_now().await;
            if !place.is_empty() {
                panic!("in the {place}");
            }
        });
        let in_local =
            pool.spawn(|| async { millpond::spawn_local(async { panic!("in a local task") }).await });
        let in_blocking = pool.spawn_blocking(|| panic!("in a blocking closure"));
        assert_eq!(before.join().unwrap(), "beside");
        let closure = in_closure.join().unwrap_err();
        assert_eq!(closure.worker(), Some(pool.workers()[0]));
        assert_eq!(closure.into_panic().downcast_ref(), Some(&"in the closure"));
        let future = in_future.join().unwrap_err();
        assert_eq!(future.into_panic().downcast_ref::<String>().unwrap(), "in the future");
        assert!(in_local.join().unwrap().unwrap_err().is_panic());
        let blocking: Result<(), _> = in_blocking.join();
        assert!(blocking.unwrap_err().is_panic());
        assert_eq!(pool.spawn(|| async { 1 }).join().unwrap(), 1, "the worker goes on");
        let receipt = pool.shutdown_blocking();
        assert_eq!((receipt.completed, receipt.panicked), (3, 4));
    });
}

/// Notes on which thread it is made, polled and dropped. Not `Send`, as an `Rc` is not.
struct Witness {
    threads: Arc<Mutex<HashSet<ThreadId>>>,
    _not_send: Rc<()>,
}

impl Witness {
    fn new(threads: Arc<Mutex<HashSet<ThreadId>>>) -> Witness {
        let witness = Witness { threads, _not_send: Rc::new(()) };
        witness.note();
        witness
    }

    fn note(&self) {
        self.threads.lock().unwrap().insert(thread::current().id());
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.note();
    }
}

#[test]
fn state_that_is_not_send_is_made_polled_and_dropped_on_one_thread() {
    unhung("state_that_is_not_send_is_made_polled_and_dropped_on_one_thread", || {
        let pool = pool(3);
        let (mut all, mut kept) = (Vec::new(), Vec::new());
        for kind in 0..300 {
            let threads = Arc::new(Mutex::new(HashSet::new()));
            all.push(Arc::clone(&threads));
            let (sender, receiver) = flume::bounded::<()>(1);
            let job = pool.spawn(move || {
                let witness = Witness::new(threads);
                async move {
                    // Woken from this test's thread, and ended in one of the ways below.
                    let _ = receiver.recv_async().await;
                    witness.note();
                    yield_now().await;
                    assert_ne!(kind % 4, 1, "on purpose");
                }
            });
            match kind % 4 {
                0 | 1 => sender.send(()).unwrap(),
                2 => job.abort(),
                _ => kept.push(sender),
            }
        }
        drop(pool);
        for threads in all {
            assert!(threads.lock().unwrap().len() <= 1);
        }
    });
}

#[test]
fn nothing_waits_behind_a_busy_worker_while_another_is_idle() {
    unhung("nothing_waits_behind_a_busy_worker_while_another_is_idle", || {
        let pool = pool(2);
        for _ in 0..200 {
            let (go, gate) = mpsc::channel::<()>();
            let (taken, busy) = mpsc::channel();
            // One worker computes, and is let go only once the jobs behind it are done.
            let computing = pool.spawn(move || async move {
                taken.send(()).unwrap();
                gate.recv().unwrap();
            });
            busy.recv().unwrap();
            let jobs: Vec<_> = (0..5).map(|n| pool.spawn(move || async move { n })).collect();
            let sum: usize = jobs.into_iter().map(|job| job.join().unwrap()).sum();
            assert_eq!(sum, 10);
            go.send(()).unwrap();
            computing.join().unwrap();
        }
    });
}

#[test]
fn a_worker_woken_for_its_own_task_passes_the_queue_on() {
    unhung("a_worker_woken_for_its_own_task_passes_the_queue_on", || {
        let pool = pool(2);
        for _ in 0..300 {
            let (wake, woken) = flume::bounded::<()>(1);
            let (let_go, gate) = mpsc::channel::<()>();
            let (parked, is_parked) = mpsc::channel();
            // Both workers sleep. Then one is woken for a task that computes, in the same moment as a job comes.
            let computing = pool.spawn(move || async move {
                parked.send(()).unwrap();
                woken.recv_async().await.unwrap();
                gate.recv().unwrap();
            });
            is_parked.recv().unwrap();
            wake.send(()).unwrap();
            pool.spawn(|| async {}).join().unwrap();
            let_go.send(()).unwrap();
            computing.join().unwrap();
        }
    });
}

#[test]
fn workers_run_side_by_side() {
    unhung("workers_run_side_by_side", || {
        const WORKERS: usize = 4;
        let pool = pool(WORKERS);
        let barrier = Arc::new(Barrier::new(WORKERS));
        // Each blocks its worker until all four are there.
        let jobs: Vec<_> = (0..WORKERS)
            .map(|_| {
                let barrier = Arc::clone(&barrier);
                pool.spawn(move || async move {
                    barrier.wait();
                    millpond::worker_id()
                })
            })
            .collect();
        let workers: HashSet<_> = jobs.into_iter().map(|job| job.join().unwrap()).collect();
        assert_eq!(workers.len(), WORKERS);
    });
}

#[test]
fn jobs_for_one_worker_and_of_one_key_keep_their_worker_and_their_order() {
    unhung("jobs_for_one_worker_and_of_one_key_keep_their_worker_and_their_order", || {
        let pool = pool(3);
        let last = pool.workers()[2];
        let order = Arc::new(Mutex::new(Vec::new()));
        let note = |n: usize| {
            let order = Arc::clone(&order);
            move || async move {
                order.lock().unwrap().push(n);
                millpond::worker_id()
            }
        };
        let on: Vec<_> = (0..100).map(|n| pool.spawn_on(last, note(n)).unwrap()).collect();
        assert!(on.into_iter().all(|job| job.join().unwrap() == last));
        let keyed: Vec<_> = (100..200).map(|n| pool.spawn_by_key("a key", note(n))).collect();
        let workers: HashSet<_> = keyed.into_iter().map(|job| job.join().unwrap()).collect();
        assert_eq!(workers.len(), 1);
        assert_eq!(*order.lock().unwrap(), (0..200).collect::<Vec<_>>());
        let all: HashSet<_> = (0..200)
            .map(|key| pool.spawn_by_key(&key, || async { millpond::worker_id() }).join().unwrap())
            .collect();
        assert_eq!(all.len(), 3, "keys spread over the workers");
    });
}

#[test]
fn jobs_for_one_worker_do_not_keep_it_from_the_shared_queue() {
    unhung("jobs_for_one_worker_do_not_keep_it_from_the_shared_queue", || {
        fn again(stop: Arc<AtomicBool>) {
            drop(millpond::spawn_on(millpond::worker_id(), move || async move {
                if !stop.load(SeqCst) {
                    again(stop);
                }
            }));
        }
        let pool = pool(1);
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&stop);
        pool.spawn(move || async move { again(theirs) }).join().unwrap();
        // Each job for the worker sends the next. This one starts all the same.
        pool.spawn(|| async {}).join().unwrap();
        stop.store(true, SeqCst);
    });
}

#[test]
fn a_broadcast_runs_once_on_every_worker() {
    unhung("a_broadcast_runs_once_on_every_worker", || {
        let pool = pool(4);
        let runs = Arc::new(AtomicUsize::new(0));
        let theirs = Arc::clone(&runs);
        let results = pool.block_on(pool.broadcast(move |worker| {
            let runs = Arc::clone(&theirs);
            async move {
                runs.fetch_add(1, SeqCst);
                assert_eq!(millpond::worker_id(), worker);
                assert_ne!(worker.index(), 2, "on purpose");
                worker
            }
        }));
        assert_eq!(runs.load(SeqCst), 4);
        for (index, result) in results.into_iter().enumerate() {
            match result {
                Ok(worker) => assert_eq!(worker.index(), index),
                Err(error) => assert!(error.is_panic() && index == 2),
            }
        }
    });
}

#[test]
fn a_worker_takes_no_more_jobs_than_its_limit_of_tasks() {
    unhung("a_worker_takes_no_more_jobs_than_its_limit_of_tasks", || {
        const LIMIT: usize = 3;
        let pool = common::builder(2).max_tasks_per_worker(LIMIT).build().unwrap();
        let running = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let jobs: Vec<_> = (0..500)
            .map(|_| {
                let (running, most) = (Arc::clone(&running), Arc::clone(&most));
                pool.spawn(move || async move {
                    most.fetch_max(running.fetch_add(1, SeqCst) + 1, SeqCst);
                    for _ in 0..3 {
                        yield_now().await;
                    }
                    running.fetch_sub(1, SeqCst);
                })
            })
            .collect();
        jobs.into_iter().for_each(|job| job.join().unwrap());
        assert!(most.load(SeqCst) <= 2 * LIMIT, "{} ran at once", most.load(SeqCst));
    });
}

#[test]
fn timers_are_on_time_under_load() {
    unhung("timers_are_on_time_under_load", || {
        let pool = pool(1);
        let stop = Arc::new(AtomicBool::new(false));
        let yielders: Vec<_> = (0..8)
            .map(|_| {
                let stop = Arc::clone(&stop);
                pool.spawn(move || async move {
                    while !stop.load(SeqCst) {
                        yield_now().await;
                    }
                })
            })
            .collect();
        // The run queue is never empty: only a loop that gives its driver a turn lets this end.
        let served = pool.spawn(|| millpond::time::sleep(std::time::Duration::from_millis(20)));
        served.join().unwrap();
        stop.store(true, SeqCst);
        yielders.into_iter().for_each(|job| job.join().unwrap());
    });
}
