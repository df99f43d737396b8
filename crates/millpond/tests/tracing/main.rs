//! What a subscriber is told of jobs and of their wakers.

#[path = "../common/mod.rs"]
mod common;
mod recorder;

use common::{builder, held, pool, unhung, yield_now};
use millpond::{Handle, JobOptions, Pool, TrySpawnError};
use recorder::{by_name, on_line, spans};
use std::{
    future::{pending, poll_fn},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
        mpsc,
    },
    task::{Poll, Waker},
    thread,
    time::{Duration, Instant},
};
use tracing::{Span, info_span};

fn named(pool: &Handle, name: &'static str) -> Handle {
    pool.with_options(JobOptions::new().name(name))
}

/// The number of the span that is current here.
fn current() -> Option<u64> {
    Span::current().id().map(|id| id.into_u64())
}

/// Pending for ever. Tells who is current at its first poll and at its drop.
async fn stuck(polled: mpsc::Sender<Option<u64>>) {
    struct TellsAtDrop(mpsc::Sender<Option<u64>>);
    impl Drop for TellsAtDrop {
        fn drop(&mut self) {
            self.0.send(current()).unwrap();
        }
    }
    polled.send(current()).unwrap();
    let _tells = TellsAtDrop(polled);
    pending().await
}

#[test]
fn a_span_a_job_with_name_worker_and_location() {
    let spans = spans();
    let pool = pool(2);
    let line = line!() + 1;
    let job = named(&pool, "hash").spawn(|| async { millpond::worker_id().index() });
    let worker = job.join().unwrap();
    let span = spans.only(by_name("hash"));
    assert_eq!((span.name, span.target, span.level), ("runtime.spawn", "tokio::task", tracing::Level::TRACE));
    assert_eq!(span.field("kind"), "task");
    assert_eq!(span.field("worker"), worker.to_string());
    assert_eq!((span.field("loc.file"), span.field("loc.line")), (file!(), line.to_string().as_str()));
    assert!(span.field("loc.col").parse::<u32>().unwrap() > 1 && span.field("size.bytes") == "1");
    let plain = line!() + 1;
    pool.spawn(|| async {}).join().unwrap();
    let plain = spans.only(on_line(plain));
    assert!(!plain.fields.contains_key("task.name"));
    assert_ne!(plain.field("task.id"), span.field("task.id"));
}

#[test]
fn each_way_to_spawn_makes_a_span_of_its_kind() {
    unhung("each_way_to_spawn_makes_a_span_of_its_kind", || {
        let spans = spans();
        let pool = pool(2);
        let first = pool.workers()[0];
        let mut expected = vec![(line!() + 1, "block_on", "tokio::task", 1)];
        pool.block_on(async {
            expected.push((line!() + 1, "task", "tokio::task", 1));
            millpond::spawn(|| async {}).await.unwrap();
            expected.push((line!() + 1, "task", "tokio::task", 1));
            millpond::spawn_on(first, || async {}).unwrap().await.unwrap();
            expected.push((line!() + 1, "task", "tokio::task", 2));
            millpond::broadcast(|_| async {}).await;
            expected.push((line!() + 1, "local", "tokio::task", 1));
            millpond::spawn_local(async {}).await.unwrap();
            expected.push((line!() + 1, "blocking", "tokio::task::blocking", 1));
            millpond::spawn_blocking(|| {}).await.unwrap();
            expected.push((line!() + 1, "task", "tokio::task", 1));
            pool.submit(|| async {}).await.unwrap().await.unwrap();
        });
        expected.push((line!() + 1, "task", "tokio::task", 1));
        pool.try_spawn(|| async {}).unwrap().join().unwrap();
        expected.push((line!() + 1, "task", "tokio::task", 1));
        pool.submit_blocking(|| async {}).unwrap().join().unwrap();
        expected.push((line!() + 1, "task", "tokio::task", 1));
        pool.spawn_by_key("key", || async {}).join().unwrap();
        for (line, kind, target, times) in expected {
            let found = spans.all(on_line(line));
            assert_eq!(found.len(), times, "line {line}");
            for span in found {
                assert_eq!((span.field("kind"), span.target), (kind, target), "line {line}");
                assert_eq!((span.closed, span.exits), (1, span.enters), "line {line}");
            }
        }
    });
}

#[test]
fn a_future_of_spawn_local_has_its_worker_from_the_start() {
    let spans = spans();
    let pool = pool(2);
    let line = line!() + 1;
    let local = || async { millpond::spawn_local(async { millpond::worker_id().index() }).await.unwrap() };
    let worker = pool.spawn(local).join().unwrap();
    let of_kind = |kind| spans.only(move |span| span.is_on(line) && span.fields["kind"] == kind);
    assert_eq!(of_kind("local").field("worker"), worker.to_string());
}

#[test]
fn the_parent_is_kept_across_the_hop() {
    let spans = spans();
    let pool = pool(2);
    let request = info_span!("request");
    let here = thread::current().id();
    let job = request.in_scope(|| {
        named(&pool, "hops").spawn(move || async move {
            assert_ne!(thread::current().id(), here);
            let of_closure_and_future = current();
            let inner = info_span!("inner").id().map(|id| id.into_u64());
            (of_closure_and_future, inner.unwrap())
        })
    });
    let (current, inner) = job.join().unwrap();
    let span = spans.only(by_name("hops"));
    assert_eq!(span.parent, request.id().map(|id| id.into_u64()));
    assert_eq!(current, Some(span.id));
    assert_eq!(spans.get(inner).parent, Some(span.id));
    assert_eq!(Span::current().id(), None);
}

#[test]
fn what_a_job_spawns_has_the_parent_of_the_job_and_follows_from_it() {
    let spans = spans();
    let pool = pool(2);
    let request = info_span!("request");
    let (outer, inner) = (named(&pool, "outer"), named(&pool, "inner job"));
    request
        .in_scope(|| outer.spawn(move || async move { inner.spawn(|| async {}).await }))
        .join()
        .unwrap()
        .unwrap();
    let (outer, inner) = (spans.only(by_name("outer")), spans.only(by_name("inner job")));
    assert_eq!((outer.parent, inner.parent), (inner.parent, request.id().map(|id| id.into_u64())));
    assert_eq!((outer.follows, inner.follows), (vec![], vec![outer.id]));
}

#[test]
fn what_a_job_spawns_in_a_span_of_its_own_has_that_as_its_parent() {
    let spans = spans();
    let pool = pool(1);
    let child = named(&pool, "in a step");
    let job = pool.spawn(move || async move {
        let step = info_span!("step");
        step.in_scope(|| child.spawn(|| async {})).await.unwrap();
        step.id().map(|id| id.into_u64())
    });
    let step = job.join().unwrap();
    assert!(step.is_some());
    assert_eq!(spans.only(by_name("in a step")).parent, step);
}

#[test]
fn a_job_is_current_again_after_a_block_on_in_it() {
    let spans = spans();
    let pool = Arc::new(pool(1));
    let request = info_span!("request");
    let inside = Arc::clone(&pool);
    let closure = move || {
        inside.block_on(async {});
        drop(named(&inside, "after a block_on").spawn(|| async {}));
        drop(inside);
    };
    request.in_scope(|| named(&pool, "around a block_on").spawn_blocking(closure)).join().unwrap();
    let (outer, inner) = (spans.only(by_name("around a block_on")), spans.only(by_name("after a block_on")));
    assert_eq!((inner.parent, inner.follows), (outer.parent, vec![outer.id]));
}

/// Else the first span would stay open for as long as there is a last one.
#[test]
fn a_chain_of_jobs_that_spawn_each_other_keeps_no_span_open() {
    const LINKS: usize = 200;
    fn link(pool: Handle, left: usize, done: mpsc::Sender<usize>) {
        let next = pool.clone();
        drop(pool.spawn(move || async move {
            match left.checked_sub(1) {
                Some(left) => link(next, left, done),
                None => {
                    let open = spans().all(by_name("link")).iter().filter(|span| span.closed == 0).count();
                    done.send(open).unwrap();
                }
            }
        }));
    }
    spans();
    let pool = pool(1);
    let (done, is_done) = mpsc::channel();
    link(named(&pool, "link"), LINKS, done);
    assert_eq!(is_done.recv().unwrap(), 1);
    drop(pool);
    assert_eq!(spans().all(by_name("link")).len(), LINKS + 1);
}

#[test]
fn a_span_is_entered_for_each_poll_and_closed_at_the_end() {
    let spans = spans();
    let pool = pool(1);
    let job = named(&pool, "four polls").spawn(|| async {
        for _ in 0..3 {
            yield_now().await;
        }
    });
    let abort = job.abort_handle();
    job.join().unwrap();
    spans.only(by_name("four polls")).assert_entered_and_closed(4);
    drop(abort);
    let blocking = named(&pool, "blocking").spawn_blocking(|| spans.only(by_name("blocking")));
    blocking.join().unwrap().assert_open(1);
    spans.only(by_name("blocking")).assert_entered_and_closed(1);
}

#[test]
fn the_span_of_a_job_that_panics_is_closed_once() {
    let spans = spans();
    let pool = pool(1);
    assert!(
        named(&pool, "panics late")
            .spawn(|| async {
                yield_now().await;
                panic!("late")
            })
            .join()
            .is_err()
    );
    spans.only(by_name("panics late")).assert_entered_and_closed(2);
    let early = named(&pool, "panics early").spawn(|| {
        if true {
            panic!("early")
        }
        async {}
    });
    assert!(early.join().is_err());
    spans.only(by_name("panics early")).assert_entered_and_closed(1);
    assert!(named(&pool, "blocking panics").spawn_blocking(|| panic!("off the workers")).join().is_err());
    spans.only(by_name("blocking panics")).assert_entered_and_closed(1);
}

#[test]
fn the_span_of_a_job_that_is_aborted_is_closed_once_and_current_at_its_drop() {
    let spans = spans();
    let (pool, release) = held(8);
    let unstarted = named(&pool, "never began").spawn(|| async {});
    unstarted.abort();
    assert!(unstarted.join().unwrap_err().is_aborted());
    spans.only(by_name("never began")).assert_entered_and_closed(0);
    drop(release);
    let (polled, is_polled) = mpsc::channel();
    let job = named(&pool, "aborted").spawn(move || stuck(polled));
    let at_poll = is_polled.recv().unwrap();
    job.abort();
    assert!(job.join().unwrap_err().is_aborted());
    let span = spans.only(by_name("aborted"));
    span.assert_entered_and_closed(2);
    assert_eq!((at_poll, is_polled.recv().unwrap()), (Some(span.id), Some(span.id)));
}

#[test]
fn the_span_of_a_job_that_is_cut_off_is_closed_once_and_current_at_its_drop() {
    let spans = spans();
    let pool = pool(1);
    let (polled, is_polled) = mpsc::channel();
    let in_local = polled.clone();
    let job = named(&pool, "cut off").spawn(move || {
        drop(millpond::spawn_local(stuck(in_local)));
        stuck(polled)
    });
    assert!(is_polled.recv().unwrap() != is_polled.recv().unwrap());
    drop(pool);
    assert!(job.join().unwrap_err().is_shutdown());
    let span = spans.only(by_name("cut off"));
    span.assert_entered_and_closed(2);
    let at_drops = [is_polled.recv().unwrap().unwrap(), is_polled.recv().unwrap().unwrap()];
    assert!(at_drops.contains(&span.id));
    for id in at_drops {
        spans.get(id).assert_entered_and_closed(2);
    }
}

#[test]
fn the_span_of_a_job_that_never_starts_is_closed_once() {
    let spans = spans();
    let pool = pool(1);
    let (give, gate) = mpsc::channel::<Pool>();
    let (begun, has_begun) = mpsc::channel();
    // The cut-off comes while the one worker is held up by this.
    drop(pool.spawn(move || async move {
        begun.send(()).unwrap();
        drop(gate.recv());
    }));
    has_begun.recv().unwrap();
    let job = named(&pool, "waits in vain").spawn(|| async {});
    let pinned = named(&pool, "waits for one").spawn_on(pool.workers()[0], || async {}).unwrap();
    assert!(!spans.only(by_name("waits in vain")).is_closed());
    give.send(pool).unwrap();
    assert!(job.join().unwrap_err().is_shutdown() && pinned.join().unwrap_err().is_shutdown());
    spans.only(by_name("waits in vain")).assert_entered_and_closed(0);
    spans.only(by_name("waits for one")).assert_entered_and_closed(0);
}

#[test]
fn the_span_of_a_job_that_expires_is_closed_once() {
    let spans = spans();
    let pool = pool(1);
    let late = JobOptions::new().name("late").deadline(Instant::now());
    assert!(pool.with_options(late).spawn(|| async {}).join().unwrap_err().is_expired());
    spans.only(by_name("late")).assert_entered_and_closed(0);
}

#[test]
fn a_stall_is_an_event_while_it_lasts() {
    unhung("a_stall_is_an_event_while_it_lasts", || {
        let spans = spans();
        let pool = builder(1).stall_threshold(Duration::from_millis(1)).build().unwrap();
        let line = line!() + 1;
        let job = named(&pool, "stalls").spawn(move || async move {
            loop {
                // Ended by the event, which comes because this holds the worker.
                if let Some(told) = spans.stall("stalls") {
                    return (told, millpond::worker_id().index());
                }
                thread::yield_now();
            }
        });
        let (told, worker) = job.join().unwrap();
        assert_eq!(
            (told["worker"].as_str(), told["loc.line"].as_str()),
            (worker.to_string().as_str(), line.to_string().as_str())
        );
        assert!(told["held_ms"].parse::<u64>().unwrap() >= 1);
        assert_eq!(told["message"], "a task holds its worker");
    });
}

#[test]
fn a_job_that_is_refused_has_no_span() {
    let spans = spans();
    let (pool, release) = held(1);
    let handle = named(&pool, "tried");
    let accepted = handle.try_spawn(|| async {}).unwrap();
    for _ in 0..10 {
        assert!(matches!(handle.try_spawn(|| async {}), Err(TrySpawnError::Full(_))));
    }
    drop(release);
    accepted.join().unwrap();
    drop(pool);
    assert!(matches!(handle.try_spawn(|| async {}), Err(TrySpawnError::Closed(_))));
    assert_eq!(spans.all(by_name("tried")).len(), 1);
}

#[test]
fn wakers_tell_of_each_operation() {
    unhung("wakers_tell_of_each_operation", || {
        let spans = spans();
        let pool = pool(1);
        let kept: Arc<Mutex<Option<Waker>>> = Arc::default();
        let theirs = Arc::clone(&kept);
        let (polls, counted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counts = Arc::clone(&counted);
        let (is_pending, pends) = mpsc::channel();
        let job = named(&pool, "woken").spawn(move || {
            poll_fn(move |cx| match polls.fetch_add(1, SeqCst) {
                0 => {
                    let one = cx.waker().clone();
                    let other = one.clone();
                    other.wake_by_ref();
                    other.wake();
                    Poll::Pending
                }
                1 => {
                    *theirs.lock().unwrap() = Some(cx.waker().clone());
                    is_pending.send(()).unwrap();
                    Poll::Pending
                }
                last => {
                    counts.store(last, SeqCst);
                    Poll::Ready(())
                }
            })
        });
        pends.recv().unwrap();
        let waker = kept.lock().unwrap().take().unwrap();
        let kept_on = waker.clone();
        waker.wake();
        job.join().unwrap();
        assert_eq!(counted.load(SeqCst), 2);
        let id = spans.only(by_name("woken")).id;
        assert_eq!(spans.wakers(id), ["clone 4", "drop 1", "wake 2", "wake_by_ref 1"]);
        spans.get(id).assert_entered_and_closed(3);
        // After the end of the job, and of the pool.
        drop(pool);
        kept_on.wake_by_ref();
        drop(kept_on);
        assert_eq!(spans.wakers(id), ["clone 4", "drop 2", "wake 2", "wake_by_ref 2"]);
    });
}

#[test]
fn the_wakers_of_a_block_on_tell_too() {
    let spans = spans();
    let pool = pool(1);
    let line = line!() + 1;
    pool.block_on(async {
        yield_now().await;
        pool.spawn(|| async {}).await.unwrap();
    });
    let span = spans.only(|span| span.is_on(line) && span.fields["kind"] == "block_on");
    assert!(span.is_closed() && span.enters >= 3 && span.exits == span.enters);
    let told = |op| spans.wakers_told(span.id, op);
    assert!(told("wake_by_ref") > 0 && told("clone") > 0);
    assert_eq!(told("clone"), told("drop") + told("wake"));
}

/// At every call of it. A job has no more to do with it than the words that a panic prints.
#[test]
fn a_subscriber_that_panics_harms_no_job() {
    unhung("a_subscriber_that_panics_harms_no_job", || {
        let spans = spans();
        let pool = pool(2);
        for when in ["new span", "record", "enter", "exit", "close", "event"] {
            let name: &'static str = format!("panics at {when}").leak();
            let before = recorder::PANICS.load(SeqCst);
            let woken = || async {
                yield_now().await;
                42
            };
            assert_eq!(named(&pool, name).spawn(woken).join().unwrap(), 42);
            assert!(recorder::PANICS.load(SeqCst) > before, "{when}");
            assert_eq!(spans.all(by_name(name)).len(), usize::from(when != "new span"), "{when}");
        }
        assert_eq!(pool.shutdown_blocking().completed, 6);
    });
}

/// Under no lock of the pool, or this would hang.
#[test]
fn a_subscriber_may_spawn() {
    unhung("a_subscriber_may_spawn", || {
        let spans = spans();
        let pool = pool(1);
        *recorder::SPAWNS.lock().unwrap() = Some(named(&pool, "spawned by a subscriber"));
        let handle = named(&pool, "makes the subscriber spawn");
        handle.spawn(|| async { yield_now().await }).join().unwrap();
        handle.try_spawn(|| async {}).unwrap().join().unwrap();
        pool.block_on(handle.submit(|| async {})).unwrap().join().unwrap();
        handle.spawn_on(pool.workers()[0], || async {}).unwrap().join().unwrap();
        handle.spawn_blocking(|| {}).join().unwrap();
        *recorder::SPAWNS.lock().unwrap() = None;
        let spawned = recorder::SPAWNED.load(SeqCst);
        assert_eq!(pool.shutdown_blocking().completed, 5 + spawned as u64);
        // For the five: at each new span, the record of each worker, each entry and exit, each close, the one wake, and the one
        // that follows from a job.
        assert_eq!(spawned, 5 + 4 + 6 + 6 + 5 + 1 + 1);
        let with_span = spans.all(by_name("spawned by a subscriber"));
        assert!(!with_span.is_empty());
        with_span.iter().for_each(|span| span.assert_entered_and_closed(1));
    });
}
