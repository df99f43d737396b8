//! Settings that cannot be, and calls in the wrong place: each is an error that names the value and the way out.

mod common;

use common::{pool, unhung};
use millpond::{BuildError, Builder, Driver, Handle, Pin, Pool};
use std::{panic::catch_unwind, sync::mpsc, time::Duration};

/// The error of a build that must fail, with `setting` and each of `words` in it.
#[track_caller]
fn refused(builder: Builder, setting: &str, words: &[&str]) -> BuildError {
    let error = builder.build().expect_err("the pool must not start");
    assert_eq!(error.setting(), Some(setting), "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{error} does not say {word:?}");
    }
    error
}

fn builder() -> Builder {
    Pool::builder().worker_threads(2).pin(Pin::None)
}

#[test]
fn no_workers() {
    refused(builder().worker_threads(0), "worker_threads", &["is 0", "at least 1"]);
}

#[test]
fn more_workers_than_threads_are_allowed() {
    refused(
        builder().worker_threads(usize::MAX),
        "worker_threads",
        &[&usize::MAX.to_string(), "ask for fewer"],
    );
    refused(builder().worker_threads(65_536), "worker_threads", &["65536", "ask for fewer"]);
}

#[test]
fn a_cpu_that_is_not_there() {
    refused(builder().pin(Pin::To(vec![0, 100_000])), "pin", &["CPU 100000", "may use", "taskset"]);
    refused(builder().pin(Pin::To(vec![])), "pin", &["no CPU", "Pin::None"]);
}

#[test]
fn a_queue_without_room() {
    refused(builder().queue_capacity(0), "queue_capacity", &["is 0", "at least 1"]);
    refused(builder().max_tasks_per_worker(0), "max_tasks_per_worker", &["is 0", "at least 1"]);
}

#[test]
fn ring_entries_that_no_kernel_makes() {
    for entries in [0, 32_769, u32::MAX] {
        refused(builder().ring_entries(entries), "ring_entries", &[&entries.to_string(), "1 to 32768"]);
    }
    assert!(builder().ring_entries(1).build().is_ok(), "monoio raises it to what it needs");
}

#[test]
fn a_thread_name_that_no_thread_can_have() {
    refused(builder().thread_name("a\0b"), "thread_name", &["a\\0b", "NUL"]);
}

#[test]
fn a_stall_threshold_that_is_too_short() {
    for (threshold, text) in [(0, "0ns"), (1, "1ns"), (999_999, "999.999µs")] {
        let builder = builder().stall_threshold(Duration::from_nanos(threshold));
        refused(builder, "stall_threshold", &[text, "1ms", "or more", "Duration::MAX"]);
    }
    for threshold in [Duration::from_millis(1), Duration::MAX - Duration::from_nanos(1), Duration::MAX] {
        assert!(builder().stall_threshold(threshold).build().is_ok());
    }
}

#[test]
fn a_start_hook_that_fails_or_panics_leaves_nothing_running() {
    unhung("a_start_hook_that_fails_or_panics_leaves_nothing_running", || {
        for panics in [false, true] {
            let (alive, all_gone) = mpsc::channel::<()>();
            let (jobs, sent) = mpsc::channel();
            let kept = std::sync::Mutex::new((alive, jobs));
            let hook = move |worker: millpond::WorkerId| {
                // Of a pool that does not come up, too, every handle resolves. A worker that is up may have run the job.
                let shared = millpond::spawn(|| async {});
                let all = millpond::Handle::current();
                let pinned = all.workers().iter().map(|worker| {
                    let job = millpond::spawn_on(*worker, || async {});
                    job.unwrap()
                });
                let local = millpond::spawn_local(std::future::pending::<()>());
                let jobs = pinned.chain([shared, local]).collect::<Vec<_>>();
                kept.lock().unwrap().1.send(jobs).unwrap();
                match (worker.index(), panics) {
                    (1, true) => panic!("no disk"),
                    (1, false) => Err("no disk".into()),
                    _ => Ok(()),
                }
            };
            let error = refused(
                builder().on_worker_start(hook),
                "on_worker_start",
                &["worker 1", "no disk", "return Ok(())"],
            );
            // The hook has been dropped with the last thread that could call it.
            assert!(all_gone.recv().is_err());
            for job in sent.into_iter().flatten() {
                assert!(job.join().map_or_else(|error| error.is_shutdown(), |()| true));
            }
            assert_eq!(std::error::Error::source(&error).is_some(), !panics);
        }
    });
}

#[test]
fn a_free_function_outside_a_pool() {
    let error = Handle::try_current().unwrap_err();
    assert!(error.to_string().contains("#[millpond::main]"), "{error}");
    let says = |call: fn(), name: &str| {
        let payload = catch_unwind(call).unwrap_err();
        let message = payload.downcast_ref::<String>().expect("a message");
        assert!(message.contains(name) && message.contains("no millpond pool on this thread"), "{message}");
    };
    says(|| drop(millpond::spawn(|| async {})), "millpond::spawn:");
    says(|| drop(millpond::spawn_local(async {})), "millpond::spawn_local:");
    says(|| drop(millpond::spawn_blocking(|| ())), "millpond::spawn_blocking:");
    says(|| drop(millpond::broadcast(|_| async {})), "millpond::broadcast:");
    says(|| _ = millpond::worker_id(), "millpond::worker_id:");
    says(|| drop(Handle::current()), "Handle::current:");
}

#[test]
fn worker_id_and_spawn_local_where_there_is_no_worker() {
    unhung("worker_id_and_spawn_local_where_there_is_no_worker", || {
        let pool = pool(1);
        let in_body =
            catch_unwind(std::panic::AssertUnwindSafe(|| pool.block_on(async { millpond::worker_id() })));
        assert!(in_body.is_err());
        let blocking = pool.spawn_blocking(|| drop(millpond::spawn_local(async {})));
        let message = blocking.join().unwrap_err().to_string();
        assert!(message.contains("use millpond::spawn"), "{message}");
    });
}

#[test]
fn a_worker_of_another_pool() {
    unhung("a_worker_of_another_pool", || {
        let (one, two) = (pool(1), pool(2));
        let error = two.spawn_on(one.workers()[0], || async { 5 }).unwrap_err();
        assert_eq!(error.worker, one.workers()[0]);
        let message = error.to_string();
        assert!(message.contains("Pool::workers") && message.contains("is not a worker"), "{message}");
        let job = two.spawn_on(two.workers()[1], error.closure).unwrap();
        assert_eq!(job.join().unwrap(), 5);
    });
}

#[test]
fn a_blocking_join_on_a_worker_of_the_same_pool() {
    unhung("a_blocking_join_on_a_worker_of_the_same_pool", || {
        let pool = pool(1);
        let job = pool.spawn(|| async {
            let needs_this_worker = millpond::spawn(|| async { 6 });
            needs_this_worker.join().unwrap_err()
        });
        let error = job.join().unwrap();
        assert!(error.is_would_deadlock() && error.to_string().contains("await the handle"), "{error}");
        // In the body of block_on a job may be waited for, and a task of its own thread may not.
        pool.block_on(async {
            assert_eq!(millpond::spawn(|| async { 7 }).join().unwrap(), 7);
            assert!(millpond::spawn_local(async {}).join().unwrap_err().is_would_deadlock());
        });
        // What is over can be taken anywhere.
        let job = pool.spawn(|| async {
            let local = millpond::spawn_local(async { 8 });
            while !local.is_finished() {
                common::yield_now().await;
            }
            local.join().unwrap()
        });
        assert_eq!(job.join().unwrap(), 8);
    });
}

#[test]
fn every_driver_that_can_be_asked_for_runs_jobs() {
    unhung("every_driver_that_can_be_asked_for_runs_jobs", || {
        for driver in [Driver::Auto, Driver::Epoll, Driver::Park] {
            let pool = builder().driver(driver).build().unwrap();
            assert_eq!(pool.spawn(|| async { 9 }).join().unwrap(), 9);
        }
    });
}
