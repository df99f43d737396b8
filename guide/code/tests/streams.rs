//! The pieces of the chapter "Streams".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use futures_lite::future::{poll_once, yield_now};
use futures_util::future::LocalBoxFuture;
use futures_util::{StreamExt, TryStreamExt, stream};
use millpond::channel::{self, Receiver};
use millpond::streams::ForEachError;
use millpond::{JoinError, Pool};
use std::cell::Cell;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

// ANCHOR: unordered
/// The bytes of all these files together, and how many could not be read.
async fn total(pool: &millpond::Handle, paths: Vec<PathBuf>) -> (u64, usize) {
    let mut lengths = pool.map_unordered(stream::iter(paths), 32, |path| async move {
        let file = monoio::fs::File::open(path).await?;
        Ok::<u64, io::Error>(file.metadata().await?.len())
    });
    let (mut bytes, mut failed) = (0, 0);
    while let Some(length) = lengths.next().await {
        match length {
            Ok(Ok(length)) => bytes += length,
            Ok(Err(_)) => failed += 1,                  // of this file
            Err(error) => panic!("a job has: {error}"), // of this job
        }
    }
    (bytes, failed)
}
// ANCHOR_END: unordered

#[test]
fn an_unordered_map_gives_every_result() {
    unhung("an_unordered_map_gives_every_result", || {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..100).map(|n| folder.path().join(n.to_string())).collect();
        paths.iter().skip(1).for_each(|path| std::fs::write(path, "seven b").unwrap());
        for pool in common::pools_on(common::io_drivers(), 2) {
            assert_eq!(pool.block_on(total(&pool, paths.clone())), (99 * 7, 1));
        }
    });
}

// ANCHOR: ordered
/// What `map_ordered` gives has the source's order, whatever takes how long; a panic
/// has its place in it.
async fn inverses(pool: &millpond::Handle) -> Vec<Result<u32, JoinError>> {
    pool.map_ordered(stream::iter([5, 4, 0, 2, 1]), 3, |n: u32| async move { 100 / n }).collect().await
}
// ANCHOR_END: ordered

#[test]
fn an_ordered_map_keeps_the_order_with_a_panic_in_the_middle() {
    unhung("an_ordered_map_keeps_the_order_with_a_panic_in_the_middle", || {
        let pool = common::pool(2);
        let inverses = pool.block_on(inverses(&pool));
        let told: Vec<_> = inverses.iter().map(|inverse| inverse.as_ref().ok().copied()).collect();
        assert_eq!(told, [Some(20), Some(25), None, Some(50), Some(100)]);
        assert!(inverses[2].as_ref().unwrap_err().is_panic());
    });
}

// ANCHOR: for_each
/// Writes a file for each name. The first error ends it.
async fn touch_all(pool: &millpond::Handle, names: Vec<PathBuf>) -> Result<(), ForEachError<io::Error>> {
    pool.for_each(stream::iter(names), 16, |name| async move {
        let file = monoio::fs::File::create(name).await?;
        file.write_all_at(b"touched".to_vec(), 0).await.0
    })
    .await
}
// ANCHOR_END: for_each

#[test]
fn for_each_says_which_way_a_job_failed() {
    unhung("for_each_says_which_way_a_job_failed", || {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<_> = (0..50).map(|n| folder.path().join(n.to_string())).collect();
        for pool in common::pools_on(common::io_drivers(), 2) {
            pool.block_on(touch_all(&pool, names.clone())).unwrap();
            assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 50);
            let error = pool.block_on(touch_all(&pool, vec!["/no/such/folder/file".into()])).unwrap_err();
            assert!(matches!(error, ForEachError::Failed(error) if error.kind() == io::ErrorKind::NotFound));
        }
    });
}

// ANCHOR: first
/// Gives up at the first panic: `?` drops the stream, which aborts what is in flight.
async fn first_error(pool: &millpond::Handle) -> Result<u32, JoinError> {
    let mut sum = 0;
    let mut inverses = pool.map_unordered(stream::iter([1, 0, 1, 1]), 2, |n: u32| async move { 1 / n });
    while let Some(inverse) = inverses.try_next().await? {
        sum += inverse;
    }
    Ok(sum)
}

/// Goes on to the end, and keeps every error.
async fn all_errors(pool: &millpond::Handle) -> Vec<ForEachError<u32>> {
    let odd = |n: u32| async move { if n % 2 == 0 { Ok(()) } else { Err(n) } };
    pool.for_each(stream::iter(0..10), 4, odd).collect_errors().await
}
// ANCHOR_END: first

#[test]
fn the_first_error_or_all_of_them() {
    unhung("the_first_error_or_all_of_them", || {
        let pool = common::pool(2);
        assert!(pool.block_on(first_error(&pool)).unwrap_err().is_panic());
        assert_eq!(pool.block_on(all_errors(&pool)).len(), 5);
    });
}

// ANCHOR: limit
/// Takes one result and drops the stream; says how many items the source was asked for.
async fn taken_from_an_endless_source(pool: &millpond::Handle, limit: usize) -> usize {
    // The source is polled here, and need not be `Send`.
    let taken = Rc::new(Cell::new(0));
    let count = Rc::clone(&taken);
    let source = stream::iter(0_u64..).inspect(move |_| count.set(count.get() + 1));
    let mut doubles = pool.map_ordered(source, limit, |n| async move { 2 * n });
    assert_eq!(doubles.next().await.expect("it never ends").expect("no job panics"), 0);
    drop(doubles);
    taken.get()
}
// ANCHOR_END: limit

#[test]
fn a_source_is_asked_for_no_more_than_the_limit_and_what_was_given_out() {
    unhung("a_source_is_asked_for_no_more_than_the_limit_and_what_was_given_out", || {
        let pool = common::pool(2);
        let taken = pool.block_on(taken_from_an_endless_source(&pool, 8));
        assert!((1..=9).contains(&taken), "{taken}");
    });
}

// ANCHOR: slow
/// Ten items, the first of which waits at the gate, where no more than four may be in
/// flight.
fn first_waits(
    gate: Receiver<()>,
    ran: Arc<AtomicUsize>,
) -> impl Fn(u32) -> LocalBoxFuture<'static, u32> + Send + Clone {
    move |n| {
        let (gate, ran) = (gate.clone(), Arc::clone(&ran));
        Box::pin(async move {
            if n == 0 {
                gate.recv().await;
            }
            ran.fetch_add(1, SeqCst);
            n
        })
    }
}

/// The other nine pass the first.
async fn unordered(pool: &millpond::Handle) -> Vec<u32> {
    let (open, gate) = channel::bounded(1);
    let mut results = pool.map_unordered(stream::iter(0..10), 4, first_waits(gate, Arc::default()));
    let mut order = Vec::new();
    for _ in 0..9 {
        order.push(results.next().await.expect("nine pass").expect("no job panics"));
    }
    drop(open);
    order.push(results.next().await.expect("the first").expect("no job panics"));
    order
}

/// Three others run, and wait for the first; the rest are not even taken from the
/// source.
async fn ordered(pool: &millpond::Handle) -> (usize, Vec<u32>) {
    let ((open, gate), ran) = (channel::bounded(1), Arc::new(AtomicUsize::new(0)));
    let mut results = pool.map_ordered(stream::iter(0..10), 4, first_waits(gate, Arc::clone(&ran)));
    while ran.load(SeqCst) < 3 {
        assert!(poll_once(results.next()).await.is_none());
        yield_now().await;
    }
    assert!(poll_once(results.next()).await.is_none());
    let ran_meanwhile = ran.load(SeqCst);
    drop(open);
    (ran_meanwhile, results.try_collect().await.expect("no job panics"))
}
// ANCHOR_END: slow

#[test]
fn order_has_its_price() {
    unhung("order_has_its_price", || {
        let pool = common::pool(2);
        assert_eq!(pool.block_on(unordered(&pool)).last(), Some(&0));
        assert_eq!(pool.block_on(ordered(&pool)), (3, (0..10).collect()));
    });
}

// ANCHOR: lines
/// The lines come from a channel. Whoever fills it waits while the jobs have enough to
/// do.
async fn measure(pool: Pool, lines: Receiver<String>) -> usize {
    let lengths = pool.map_unordered(lines, 16, |line: String| async move { line.len() });
    lengths.try_fold(0, |sum, length| async move { Ok(sum + length) }).await.expect("no job panics")
}
// ANCHOR_END: lines

#[test]
fn a_channel_is_a_source() {
    unhung("a_channel_is_a_source", || {
        let (send, lines) = channel::bounded(4);
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let feeder = std::thread::spawn(move || {
            for length in 0..100 {
                send.send_blocking("x".repeat(length)).unwrap();
                count.fetch_add(length, SeqCst);
            }
        });
        // On an executor that is not the pool's.
        let sum = futures_lite::future::block_on(measure(common::pool(2), lines));
        feeder.join().unwrap();
        assert_eq!((sum, sent.load(SeqCst)), (4950, 4950));
    });
}

#[test]
fn after_a_broadcast_that_follows_the_drop_no_job_of_the_stream_is_polled() {
    unhung("after_a_broadcast_that_follows_the_drop_no_job_of_the_stream_is_polled", || {
        let pool = common::builder(2).worker_state(|_worker| async { Ok(Cell::new(0_u64)) }).build().unwrap();
        let take = || {
            let taken = pool.broadcast(|_worker| async { millpond::worker_state::<Cell<u64>>().take() });
            taken.join().into_iter().map(Result::unwrap).sum::<u64>()
        };
        for _ in 0..100 {
            let mut results = pool.map_unordered(stream::iter(0..16), 16, |_| async {
                let count = millpond::worker_state::<Cell<u64>>();
                loop {
                    count.set(count.get() + 1);
                    yield_now().await;
                }
            });
            let polled: Option<Option<Result<(), JoinError>>> = pool.block_on(poll_once(results.next()));
            assert!(polled.is_none());
            while take() == 0 {} // until some have started
            drop(results);
            take();
            assert_eq!(take(), 0);
        }
    });
}
