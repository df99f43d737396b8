//! What each worker keeps for its jobs: made, used and dropped on its own thread.

mod common;

use common::{builder, drivers, pool, unhung};
use millpond::WorkerId;
use std::{
    cell::{Cell, RefCell},
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread::{self, ThreadId},
};

type Events = Arc<Mutex<Vec<String>>>;

/// A value that is not `Send`, and tells of its drop.
struct Kept {
    worker: WorkerId,
    thread: ThreadId,
    uses: Rc<Cell<usize>>,
    dropped: mpsc::Sender<(WorkerId, bool, usize)>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        let at_home = thread::current().id() == self.thread;
        let _ = self.dropped.send((self.worker, at_home, self.uses.get()));
    }
}

#[test]
fn a_value_is_made_used_and_dropped_on_its_own_worker() {
    unhung("a_value_is_made_used_and_dropped_on_its_own_worker", || {
        for driver in drivers() {
            let (dropped, drops) = mpsc::channel();
            let kept = move |worker| {
                let dropped = dropped.clone();
                async move { Ok(Kept { worker, thread: thread::current().id(), uses: Rc::default(), dropped }) }
            };
            let pool = builder(2).driver(driver).worker_state(kept).build().unwrap();
            let uses = |kept: Rc<Kept>| async move {
                common::yield_now().await;
                assert_eq!((kept.worker, kept.thread), (millpond::worker_id(), thread::current().id()));
                assert!(Rc::ptr_eq(&kept, &millpond::worker_state()));
                kept.uses.set(kept.uses.get() + 1);
            };
            let jobs: Vec<_> = (0..100).map(|_| pool.spawn_with(uses)).collect();
            jobs.into_iter().for_each(|job| job.join().unwrap());
            let workers: Vec<WorkerId> = pool.workers().to_vec();
            let receipt = pool.shutdown_blocking();
            assert_eq!(receipt.completed, 100, "to make a value is no job: {receipt:?}");
            // The pool has gone, and the factory with it: what is to come has come.
            let mut drops: Vec<_> = drops.into_iter().collect();
            drops.sort_by_key(|(worker, ..)| worker.index());
            assert_eq!(drops.iter().map(|(worker, ..)| *worker).collect::<Vec<_>>(), workers);
            assert!(drops.iter().all(|(_, at_home, _)| *at_home));
            assert_eq!(drops.iter().map(|(_, _, uses)| uses).sum::<usize>(), 100);
        }
    });
}

#[test]
fn a_factory_may_wait_for_timers_tasks_and_other_threads() {
    unhung("a_factory_may_wait_for_timers_tasks_and_other_threads", || {
        for driver in drivers() {
            let factory = |worker: WorkerId| async move {
                let (send, receive) = flume::bounded(0);
                let sender = thread::spawn(move || send.send(worker.index() + 10));
                let from_a_thread = receive.recv_async().await?;
                sender.join().unwrap()?;
                millpond::time::sleep(std::time::Duration::from_millis(1)).await;
                let beside = millpond::spawn_local(async { 100 }).await?;
                Ok(from_a_thread + beside)
            };
            let pool = builder(3).driver(driver).worker_state(factory).build().unwrap();
            let values = pool.broadcast(|_| async { *millpond::worker_state::<usize>() }).join();
            assert_eq!(values.into_iter().collect::<Result<Vec<_>, _>>().unwrap(), [110, 111, 112]);
        }
    });
}

#[test]
fn a_factory_may_open_files() {
    unhung("a_factory_may_open_files", || {
        for driver in common::io_drivers() {
            let factory = |_| async { Ok(monoio::fs::File::open("/proc/self/stat").await?) };
            let pool = builder(2).driver(driver).worker_state(factory).build().unwrap();
            let read = pool.spawn_with(|file: Rc<monoio::fs::File>| async move {
                let (read, _buffer) = file.read_at(vec![0; 64], 0).await;
                read
            });
            assert_eq!(read.join().unwrap().unwrap(), 64);
        }
    });
}

#[test]
fn a_factory_that_fails_or_panics_leaves_nothing_running() {
    unhung("a_factory_that_fails_or_panics_leaves_nothing_running", || {
        for how in 0..3 {
            let events = Events::default();
            let (alive, all_gone) = mpsc::channel::<()>();
            let (alive, stops) = (Mutex::new(alive), Arc::clone(&events));
            let factory = move |worker: WorkerId| {
                let alive = alive.lock().unwrap().clone();
                assert!(worker.index() == 0 || how != 0, "no disk");
                async move {
                    let _alive = alive;
                    match (worker.index(), how) {
                        // Ended by the pool's end, as the other has failed.
                        (0, _) => pending().await,
                        (_, 1) => panic!("no disk"),
                        _ => Err::<String, _>("no disk".into()),
                    }
                }
            };
            let error = builder(2)
                .worker_state(|_| async { Ok(7_u8) })
                .worker_state(factory)
                .on_worker_stop(move |worker| stops.lock().unwrap().push(worker.to_string()))
                .build()
                .unwrap_err();
            assert_eq!(error.setting(), Some("worker_state"));
            for word in ["worker 1", "no disk", "String", "return Ok"] {
                assert!(error.to_string().contains(word), "{error}");
            }
            assert_eq!(std::error::Error::source(&error).is_some(), how == 2);
            assert!(all_gone.recv().is_err(), "the pending future has been dropped, and the factory");
            assert_eq!(events.lock().unwrap().len(), 2, "the start hooks had succeeded");
        }
    });
}

#[test]
fn a_start_that_panics_beyond_its_factory_ends_the_build() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in the drop of a payload");
        }
    }
    #[derive(Debug)]
    struct Unsayable;
    impl std::fmt::Display for Unsayable {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("in the words of an error");
        }
    }
    impl std::error::Error for Unsayable {}
    unhung("a_start_that_panics_beyond_its_factory_ends_the_build", || {
        for driver in drivers() {
            // The other worker comes up, and waits for the builder.
            let factory = |worker: WorkerId| async move {
                if worker.index() == 1 { Err(Unsayable.into()) } else { Ok(7_u8) }
            };
            let error = builder(2).driver(driver).worker_state(factory).build().unwrap_err();
            assert!(error.to_string().contains("thread ended before it was up"), "{error}");

            let factory = |worker: WorkerId| async move {
                if worker.index() == 1 { std::panic::panic_any(Bomb) } else { Ok(7_u8) }
            };
            let error = builder(2).driver(driver).worker_state(factory).build().unwrap_err();
            assert_eq!(error.setting(), Some("worker_state"), "{error}");
        }
    });
}

#[test]
fn values_of_several_types_are_made_in_order_and_dropped_in_reverse() {
    unhung("values_of_several_types_are_made_in_order_and_dropped_in_reverse", || {
        struct Told<const N: u8>(Events);
        impl<const N: u8> Drop for Told<N> {
            fn drop(&mut self) {
                self.0.lock().unwrap().push(format!("dropped {N}"));
                assert_ne!(N, 2, "a panic here harms nobody");
            }
        }
        let events = Events::default();
        let (first, job, stopped) = (Arc::clone(&events), Arc::clone(&events), Arc::clone(&events));
        let pool = builder(1)
            .worker_state(move |_| {
                let events = Arc::clone(&first);
                async move { Ok(Told::<1>(events)) }
            })
            .worker_state(|_| async { Ok(Told::<2>(Arc::clone(&millpond::worker_state::<Told<1>>().0))) })
            .worker_state(|_| async { Ok(Told::<3>(Arc::clone(&millpond::worker_state::<Told<2>>().0))) })
            .on_worker_stop(move |_| {
                let events = &millpond::worker_state::<Told<3>>().0;
                assert!(Arc::ptr_eq(events, &stopped));
                events.lock().unwrap().push("stopped".to_owned());
            })
            .build()
            .unwrap();
        let held = pool.spawn_with(move |_value: Rc<Told<3>>| async move {
            job.lock().unwrap().push("at work".to_owned());
            pending::<()>().await;
        });
        while events.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        drop(pool);
        assert!(held.join().unwrap_err().is_shutdown());
        let events = events.lock().unwrap();
        assert_eq!(*events, ["at work", "stopped", "dropped 3", "dropped 2", "dropped 1"]);
    });
}

#[test]
fn a_task_that_a_factory_leaves_behind_is_waited_for_up_to_the_limit_and_ends_before_the_value() {
    unhung(
        "a_task_that_a_factory_leaves_behind_is_waited_for_up_to_the_limit_and_ends_before_the_value",
        || {
            for driver in drivers() {
                let factory = |_| async {
                    let (keep, kept) = flume::bounded::<()>(0);
                    // Ended by the drop of the value, which comes after it, or by the shutdown's limit.
                    drop(millpond::spawn_local(async move { kept.recv_async().await }));
                    Ok(keep)
                };
                let pool = builder(2).driver(driver).worker_state(factory).build().unwrap();
                assert_eq!(pool.spawn(|| async { 7 }).join().unwrap(), 7);
                let receipt = pool.shutdown_timeout_blocking(std::time::Duration::from_millis(1));
                assert_eq!((receipt.completed, receipt.cut_off, receipt.accepted()), (1, 2, 3));
            }
        },
    );
}

#[test]
fn one_type_twice_is_refused() {
    let error = builder(1)
        .worker_state(|_| async { Ok(RefCell::new(1_u8)) })
        .worker_state(|_| async { Ok(2_u8) })
        .worker_state(|_| async { Ok(RefCell::new(3_u8)) })
        .build()
        .unwrap_err();
    assert_eq!(error.setting(), Some("worker_state"));
    let words = ["twice", "RefCell<u8>", "a type of your own"];
    assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
}

fn panic_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it panics");
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.unwrap_or_else(|| *payload.downcast::<String>().expect("a message"))
}

#[test]
fn a_value_that_is_not_there_is_named() {
    unhung("a_value_that_is_not_there_is_named", || {
        let pool = builder(1).worker_state(|_| async { Ok(7_u8) }).build().unwrap();
        let sent = AtomicUsize::new(0);
        let message = panic_of(|| {
            drop(pool.spawn_with(|_: Rc<String>| async {}));
            sent.fetch_add(1, SeqCst);
        });
        assert_eq!(sent.load(SeqCst), 0);
        let words = ["Handle::spawn_with", "String", "`worker_state`"];
        assert!(words.iter().all(|word| message.contains(word)), "{message}");

        let error = pool.spawn(|| async { *millpond::worker_state::<u16>() }).join().unwrap_err();
        assert!(error.to_string().contains("keep no u16"), "{error}");
        let message = panic_of(|| pool.block_on(async { drop(millpond::worker_state::<u8>()) }));
        assert!(message.contains("not a worker"), "{message}");
        let message = panic_of(|| drop(millpond::worker_state::<u8>()));
        assert!(
            message.starts_with("millpond::worker_state: ") && message.contains("no millpond pool"),
            "{message}"
        );

        let error = builder(1)
            .on_worker_start(|_| {
                drop(millpond::worker_state::<u8>());
                Ok(())
            })
            .worker_state(|_| async { Ok(7_u8) })
            .build()
            .unwrap_err();
        assert!(error.to_string().contains("none yet"), "{error}");
    });
}

#[test]
fn a_pool_without_factories_has_none() {
    let pool = pool(1);
    let message = panic_of(|| drop(pool.spawn_with(|_: Rc<()>| async {})));
    assert!(message.contains("keep no ()"), "{message}");
}
