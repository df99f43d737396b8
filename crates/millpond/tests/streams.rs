//! The items of a stream as jobs: bounded, in order or as they end, with every error, and aborted by a drop.

mod common;

use common::{builder, poll_once, pool, unhung};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use millpond::streams::ForEachError;
use std::{
    future::pending,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    task::Poll,
    thread,
};

const LIMIT: usize = 5;

/// Counts what is taken from a source.
fn counted<S: Stream>(source: S) -> (Arc<AtomicUsize>, impl Stream<Item = S::Item>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    (
        taken,
        source.inspect(move |_| {
            count.fetch_add(1, SeqCst);
        }),
    )
}

/// Counts itself, and its drop.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: &Arc<AtomicUsize>) -> Counted {
        count.fetch_add(1, SeqCst);
        Counted(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[test]
fn no_more_items_than_the_limit_are_in_flight() {
    unhung("no_more_items_than_the_limit_are_in_flight", || {
        let pool = pool(2);
        let (taken, source) = counted(stream::iter(0..1000));
        let live = Arc::new(AtomicUsize::new(0));
        let mut results = pool.map_unordered(source, LIMIT, move |n: usize| {
            let live = Arc::clone(&live);
            async move {
                let _counted = Counted::new(&live);
                common::yield_now().await;
                (n, live.load(SeqCst))
            }
        });
        assert_eq!(taken.load(SeqCst), 0, "nothing is taken before the first poll");
        let (mut given, mut seen) = (0, vec![false; 1000]);
        pool.block_on(async {
            while let Some(result) = results.next().await {
                let (n, live) = result.unwrap();
                given += 1;
                assert!(live <= LIMIT, "{live} jobs live");
                // The one that was just given out made room, which is used by the next poll.
                assert!(taken.load(SeqCst) < given + LIMIT, "{} taken, {given} given", taken.load(SeqCst));
                assert!(!std::mem::replace(&mut seen[n], true), "{n} came twice");
            }
        });
        assert_eq!((given, taken.load(SeqCst)), (1000, 1000));
        assert_eq!(results.size_hint(), (0, Some(0)));
    });
}

#[test]
fn a_result_that_waits_for_its_turn_holds_the_source_back() {
    unhung("a_result_that_waits_for_its_turn_holds_the_source_back", || {
        let pool = pool(2);
        let (taken, source) = counted(stream::iter(0..100));
        let (let_go, gate) = flume::bounded::<()>(0);
        let (done, is_done) = mpsc::channel();
        let mut results = pool.map_ordered(source, LIMIT, move |n: usize| {
            let (gate, done) = (gate.clone(), done.clone());
            async move {
                if n == 0 {
                    // Ended by the drop of `let_go`.
                    let _ = gate.recv_async().await;
                } else {
                    done.send(n).unwrap();
                }
                n
            }
        });
        assert!(poll_once(results.next()).is_pending());
        let mut ended: Vec<usize> = (1..LIMIT).map(|_| is_done.recv().unwrap()).collect();
        ended.sort_unstable();
        assert_eq!(ended, [1, 2, 3, 4]);
        assert!(poll_once(results.next()).is_pending());
        assert_eq!(taken.load(SeqCst), LIMIT, "the others have ended, and hold their places");
        drop(let_go);
        let all: Vec<usize> = pool.block_on(results.try_collect()).unwrap();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    });
}

#[test]
fn results_keep_the_order_of_the_source_with_panics_in_the_middle() {
    unhung("results_keep_the_order_of_the_source_with_panics_in_the_middle", || {
        let pool = pool(2);
        let results = pool.map_ordered(stream::iter(0..200_usize), 16, |n| async move {
            for _ in 0..n % 7 {
                common::yield_now().await;
            }
            assert!(n % 10 != 3, "{n} is unlucky");
            n
        });
        let results: Vec<_> = pool.block_on(results.collect());
        assert_eq!(results.len(), 200);
        for (n, result) in results.into_iter().enumerate() {
            match result {
                Ok(got) => assert_eq!(got, n),
                Err(error) => {
                    assert!(n % 10 == 3 && error.is_panic(), "{n}: {error}");
                    assert!(error.to_string().ends_with(&format!("{n} is unlucky")), "{n}: {error}");
                }
            }
        }
    });
}

#[test]
fn results_come_as_the_jobs_end() {
    unhung("results_come_as_the_jobs_end", || {
        let pool = pool(1);
        let (let_go, gate) = flume::bounded::<()>(0);
        let mut results = pool.map_unordered(stream::iter(0..3), 3, move |n| {
            let gate = gate.clone();
            async move {
                if n == 0 {
                    // Ended by the drop of `let_go`.
                    let _ = gate.recv_async().await;
                }
                n
            }
        });
        pool.block_on(async {
            let mut first = [results.next().await.unwrap().unwrap(), results.next().await.unwrap().unwrap()];
            first.sort_unstable();
            assert_eq!(first, [1, 2]);
            drop(let_go);
            assert_eq!(results.next().await.unwrap().unwrap(), 0);
            assert!(results.next().await.is_none());
            assert!(results.next().await.is_none(), "and so it stays");
        });
    });
}

#[test]
fn dropping_the_results_aborts_what_is_in_flight() {
    unhung("dropping_the_results_aborts_what_is_in_flight", || {
        let pool = builder(1).max_tasks_per_worker(2).build().unwrap();
        let (live, started) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (begun, has_begun) = mpsc::channel();
        let (theirs, starts) = (Arc::clone(&live), Arc::clone(&started));
        let mut results = pool.map_ordered(stream::repeat(()), LIMIT, move |()| {
            starts.fetch_add(1, SeqCst);
            let (live, begun) = (Arc::clone(&theirs), begun.clone());
            async move {
                let _counted = Counted::new(&live);
                begun.send(()).unwrap();
                pending::<()>().await;
            }
        });
        assert!(poll_once(results.next()).is_pending());
        // Two start, and three wait: a worker takes no more.
        (0..2).for_each(|_| has_begun.recv().unwrap());
        drop(results);
        let receipt = pool.shutdown_blocking();
        assert_eq!((receipt.aborted, receipt.completed), (5, 0), "{receipt:?}");
        assert_eq!((started.load(SeqCst), live.load(SeqCst)), (2, 0));
    });
}

#[test]
fn a_source_that_never_waits_leaves_the_thread_to_others() {
    unhung("a_source_that_never_waits_leaves_the_thread_to_others", || {
        const ITEMS: usize = 100_000;
        let pool = pool(2);
        for limit in [LIMIT, 1_000, usize::MAX] {
            let (taken, source) = counted(stream::iter(0..ITEMS));
            let mut longest = 0;
            let mut all = pin!(pool.for_each(source, limit, |_| async {}));
            pool.block_on(std::future::poll_fn(|cx| {
                let before = taken.load(SeqCst);
                let polled = all.as_mut().poll(cx);
                longest = longest.max(taken.load(SeqCst) - before);
                polled
            }))
            .unwrap();
            assert_eq!(taken.load(SeqCst), ITEMS);
            assert!(longest <= 1_000, "{longest} items in one poll, with a limit of {limit}");
        }
    });
}

#[test]
fn a_dropped_next_loses_nothing() {
    unhung("a_dropped_next_loses_nothing", || {
        let pool = pool(2);
        let mut results = pool.map_ordered(stream::iter(0..50), 8, |n| async move { n });
        let mut got = Vec::new();
        while got.len() < 50 {
            if let Poll::Ready(Some(result)) = poll_once(results.next()) {
                got.push(result.unwrap());
            }
            thread::yield_now();
        }
        assert_eq!(got, (0..50).collect::<Vec<_>>());
    });
}

#[test]
fn the_first_error_ends_for_each_and_aborts_the_rest() {
    unhung("the_first_error_ends_for_each_and_aborts_the_rest", || {
        let pool = pool(2);
        let (taken, source) = counted(stream::iter(0..));
        let end =
            pool.block_on(pool.for_each(source, LIMIT, |n: u32| async move {
                if n == 3 { Err(n) } else { pending().await }
            }));
        assert!(matches!(end, Err(ForEachError::Failed(3))), "{end:?}");
        assert_eq!(taken.load(SeqCst), LIMIT, "the four that never end keep the source back");
        let receipt = pool.shutdown_blocking();
        assert_eq!((receipt.completed, receipt.aborted), (1, 4), "{receipt:?}");
    });
}

#[test]
fn all_errors_of_for_each_are_collected() {
    unhung("all_errors_of_for_each_are_collected", || {
        let pool = pool(2);
        let job = |n: u32| async move {
            assert!(n != 7, "seven");
            if n % 5 == 0 { Err(n) } else { Ok(()) }
        };
        let errors = pool.block_on(pool.for_each(stream::iter(1..=20), LIMIT, job).collect_errors());
        let mut failed = Vec::new();
        let mut panicked = 0;
        for error in errors {
            match error {
                ForEachError::Failed(n) => failed.push(n),
                ForEachError::Join(error) => panicked += usize::from(error.is_panic()),
            }
        }
        failed.sort_unstable();
        assert_eq!((failed, panicked), (vec![5, 10, 15, 20], 1));
        let receipt = pool.shutdown_blocking();
        assert_eq!((receipt.completed, receipt.panicked), (19, 1));
    });
}

#[test]
fn for_each_of_what_returns_nothing_ends_with_its_panic_only() {
    unhung("for_each_of_what_returns_nothing_ends_with_its_panic_only", || {
        let pool = pool(2);
        pool.block_on(pool.for_each(stream::iter(0..100), LIMIT, |_| async {})).unwrap();
        let end =
            pool.block_on(pool.for_each(stream::iter([1, 0]), 1, |n| async move { assert!(1 / n > 0) }));
        assert!(matches!(end, Err(ForEachError::Join(error)) if error.is_panic()));
    });
}

#[test]
fn a_shutdown_ends_the_results_with_an_error_for_each_in_flight() {
    unhung("a_shutdown_ends_the_results_with_an_error_for_each_in_flight", || {
        let pool = pool(2);
        let (taken, source) = counted(stream::repeat(()));
        let mut results = pool.map_ordered(source, LIMIT, |()| pending::<()>());
        assert!(poll_once(results.next()).is_pending());
        drop(pool);
        let results: Vec<_> = futures_lite::future::block_on(results.collect());
        assert_eq!((results.len(), taken.load(SeqCst)), (LIMIT, LIMIT));
        assert!(results.into_iter().all(|result| result.unwrap_err().is_shutdown()));
    });
}

#[test]
fn a_shutdown_shows_at_the_next_item() {
    unhung("a_shutdown_shows_at_the_next_item", || {
        let pool = pool(1);
        let (send, items) = flume::unbounded();
        let mut results = pool.map_unordered(items.into_stream(), LIMIT, |n: u8| async move { n });
        drop(pool);
        assert!(poll_once(results.next()).is_pending(), "the source may have items yet");
        send.send(1).unwrap();
        let refused = futures_lite::future::block_on(results.next());
        assert!(refused.unwrap().unwrap_err().is_shutdown());
        assert!(futures_lite::future::block_on(results.next()).is_none());
    });
}

#[test]
fn for_each_may_collect_errors_after_a_poll_but_not_after_its_end() {
    unhung("for_each_may_collect_errors_after_a_poll_but_not_after_its_end", || {
        let pool = pool(1);
        let (send, items) = flume::unbounded::<u8>();
        let mut all = pool.for_each(items.into_stream(), LIMIT, |n| async move { Err::<(), u8>(n) });
        assert!(poll_once(&mut all).is_pending());
        (1..4).for_each(|n| send.send(n).unwrap());
        drop(send);
        assert_eq!(futures_lite::future::block_on(all.collect_errors()).len(), 3);

        let mut all = pool.for_each(stream::iter(0..0), LIMIT, |_: u8| async {});
        assert!(poll_once(&mut all).is_ready());
        assert!(catch_unwind(AssertUnwindSafe(|| drop(all.collect_errors()))).is_err());
    });
}

#[test]
fn a_pool_that_has_shut_down_is_asked_once() {
    let pool = pool(1);
    let handle = pool.handle();
    drop(pool);
    let (taken, source) = counted(stream::repeat(()));
    let errors = futures_lite::future::block_on(handle.for_each(source, 2, |()| async {}).collect_errors());
    assert_eq!((errors.len(), taken.load(SeqCst)), (2, 2));
}

#[test]
fn a_source_may_come_from_another_thread_and_the_results_go_to_any_executor() {
    unhung("a_source_may_come_from_another_thread_and_the_results_go_to_any_executor", || {
        let pool = pool(2);
        let feed = |count: u64| {
            let (send, receive) = flume::bounded(2);
            let feeder = thread::spawn(move || (0..count).for_each(|n| send.send(n).unwrap()));
            (feeder, receive.into_stream())
        };
        for executor in 0..3 {
            let (feeder, source) = feed(300);
            let results = pool.map_unordered(source, LIMIT, |n| async move { n });
            let sum = results.try_fold(0, |sum, n| async move { Ok(sum + n) });
            let sum = match executor {
                0 => pool.block_on(sum),
                1 => futures_lite::future::block_on(sum),
                _ => tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(sum),
            };
            assert_eq!(sum.unwrap(), 300 * 299 / 2);
            feeder.join().unwrap();
        }
    });
}

#[test]
fn a_job_may_share_its_own_items_out() {
    unhung("a_job_may_share_its_own_items_out", || {
        let pool = pool(2);
        let sum = pool.spawn(|| async {
            let pool = millpond::Handle::current();
            let squares = pool.map_unordered(stream::iter(1..=10_u32), 3, |n| async move { n * n });
            squares.try_fold(0, |sum, square| async move { Ok(sum + square) }).await
        });
        assert_eq!(sum.join().unwrap().unwrap(), 385);
    });
}

#[test]
fn a_source_that_panics_aborts_what_is_in_flight() {
    unhung("a_source_that_panics_aborts_what_is_in_flight", || {
        let pool = pool(1);
        let source = stream::iter(0..).inspect(|n| assert!(*n < 2, "no third"));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut results = pin!(pool.map_unordered(source, 9, |_| pending::<()>()));
            pool.block_on(results.next())
        }));
        assert!(panicked.is_err());
        assert_eq!(pool.shutdown_blocking().aborted, 2);
    });
}

#[test]
fn a_limit_of_0_says_so() {
    let pool = pool(1);
    let panic =
        catch_unwind(AssertUnwindSafe(|| drop(pool.map_ordered(stream::empty::<()>(), 0, |()| async {}))));
    let message = *panic.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(message, "map_ordered: the limit is 0, so no job could ever be in flight; allow at least 1");
}
