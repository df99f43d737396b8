//! The pieces of the chapter "Choosing between spawn, channel, streams and serve".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use futures_util::{TryStreamExt, stream};
use millpond::net::{self, Balance};
use millpond::{JoinError, Pool, channel};
use monoio::io::AsyncWriteRentExt;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Read;
use std::rc::Rc;
use std::sync::Arc;

// ANCHOR: spawn
/// A few jobs of whatever kinds, and their results.
async fn one_of_each() -> Result<(u64, String), JoinError> {
    let sum = millpond::spawn(|| async { (1..=10_u64).sum() });
    let name = millpond::spawn(|| async { format!("from {}", millpond::worker_id()) });
    Ok((sum.await?, name.await?))
}
// ANCHOR_END: spawn

// ANCHOR: streams
/// Very many jobs of one kind, of which no more than 64 may be under way.
async fn squares() -> Result<u64, JoinError> {
    let squares =
        millpond::Handle::current().map_unordered(stream::iter(1..=1000_u64), 64, |n| async move { n * n });
    squares.try_fold(0, |sum, square| async move { Ok(sum + square) }).await
}
// ANCHOR_END: streams

// ANCHOR: channel
/// Millions of small messages of one type: a loop on each worker, with no cell and no
/// closure for each message.
fn sum_of_messages(pool: &Pool, messages: u64) -> u64 {
    let (send, queue) = channel::bounded(1024);
    let loops = pool.broadcast(move |_worker| {
        let queue = queue.clone();
        async move {
            let (mut sum, mut batch) = (0, Vec::new());
            while queue.recv_many(&mut batch, 256).await > 0 {
                sum += batch.drain(..).sum::<u64>();
            }
            sum
        }
    });
    for number in 1..=messages {
        send.send_blocking(number).expect("the loops are there");
    }
    drop(send);
    loops.join().into_iter().map(|sum| sum.expect("no loop panics")).sum()
}
// ANCHOR_END: channel

// ANCHOR: serve
/// Connections: each is a job of one worker, from its accept to its end.
fn greet(pool: &Pool, listener: std::net::TcpListener) -> net::Server {
    let handler = |mut stream: monoio::net::TcpStream, peer: std::net::SocketAddr| async move {
        let _ = stream.write_all(format!("good day, {peer}\n").into_bytes()).await;
    };
    net::serve(pool, listener, Balance::LeastConnections, handler).expect("it serves")
}
// ANCHOR_END: serve

// ANCHOR: local
/// Helpers of one job, on its own thread: they share what need not be `Send`.
async fn beside() -> Vec<&'static str> {
    let said = Rc::new(RefCell::new(Vec::new()));
    let theirs = Rc::clone(&said);
    let helper = millpond::spawn_local(async move { theirs.borrow_mut().push("the helper") });
    helper.await.expect("no task panics");
    said.borrow_mut().push("the job");
    said.take()
}
// ANCHOR_END: local

// ANCHOR: key
thread_local! {
    /// What this worker knows. No other thread can see it, so there is nothing to lock.
    static VISITS: RefCell<BTreeMap<String, u32>> = const { RefCell::new(BTreeMap::new()) };
}

/// All visits of one user are counted by one worker, in the order in which they were
/// sent.
fn visit(pool: &Pool, user: &str) -> millpond::JoinHandle<u32> {
    let name = user.to_owned();
    pool.spawn_by_key(user, || async {
        VISITS.with_borrow_mut(|visits| {
            let count = visits.entry(name).or_default();
            *count += 1;
            *count
        })
    })
}

/// And by `broadcast` all workers tell what they know.
fn users(pool: &Pool) -> usize {
    let known = pool.broadcast(|_worker| async { VISITS.with_borrow(BTreeMap::len) });
    known.join().into_iter().map(|users| users.expect("no job panics")).sum()
}
// ANCHOR_END: key

// ANCHOR: blocking
/// What blocks a thread, or computes for long, has no place on a worker.
async fn sorted(mut numbers: Vec<u64>) -> Result<Arc<[u64]>, JoinError> {
    millpond::spawn_blocking(move || {
        numbers.sort_unstable();
        Arc::from(numbers)
    })
    .await
}
// ANCHOR_END: blocking

#[test]
fn each_way_does_what_its_name_says() {
    unhung("each_way_does_what_its_name_says", || {
        let pool = common::pool(2);
        let (sum, name) = pool.block_on(one_of_each()).unwrap();
        assert!(sum == 55 && name.starts_with("from worker "), "{sum} {name}");
        assert_eq!(pool.block_on(squares()).unwrap(), 333_833_500);
        assert_eq!(sum_of_messages(&pool, 10_000), 50_005_000);
        assert_eq!(pool.spawn(beside).join().unwrap(), ["the helper", "the job"]);
        assert_eq!(pool.block_on(sorted(vec![3, 1, 2])).unwrap()[..], [1, 2, 3]);
    });
}

#[test]
fn a_server_greets() {
    unhung("a_server_greets", || {
        for pool in common::pools_on(common::io_drivers(), 2) {
            let server = greet(&pool, std::net::TcpListener::bind("127.0.0.1:0").unwrap());
            let mut said = String::new();
            std::net::TcpStream::connect(server.local_addr()).unwrap().read_to_string(&mut said).unwrap();
            assert!(said.starts_with("good day, 127.0.0.1:"), "{said}");
        }
    });
}

#[test]
fn a_key_has_one_worker() {
    unhung("a_key_has_one_worker", || {
        let pool = common::pool(2);
        let mut visits = Vec::new();
        for busy in 0..2 {
            let release = common::hold(&pool, busy);
            visits.extend(["ann", "ben", "cleo"].map(|user| visit(&pool, user)));
            // The other worker has had every chance to take what is not its own.
            for _ in 0..100 {
                pool.spawn_on(pool.workers()[1 - busy], || async {}).unwrap().join().unwrap();
            }
            drop(release);
        }
        let counts: Vec<u32> = visits.into_iter().map(|visit| visit.join().unwrap()).collect();
        assert_eq!((counts, users(&pool)), (vec![1, 1, 1, 2, 2, 2], 3));
    });
}
