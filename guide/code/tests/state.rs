//! The pieces of the chapter "State of a worker".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use millpond::{Pool, channel, net};
use monoio::io::{AsyncReadRent, AsyncReadRentExt, AsyncWriteRentExt};
use monoio::net::TcpStream;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;

// ANCHOR: cache
/// What a worker remembers. It is not `Sync`, and has no lock.
type Cache = RefCell<HashMap<u64, u64>>;

/// The number's square: looked up, or computed and kept.
async fn square(cache: Rc<Cache>, number: u64) -> u64 {
    *cache.borrow_mut().entry(number).or_insert_with(|| number * number)
}

fn squares(pool: millpond::Builder) -> Result<u64, Box<dyn std::error::Error>> {
    let pool = pool.worker_state(|_worker| async { Ok(Cache::default()) }).build()?;
    let jobs: Vec<_> =
        (0..100).map(|n| pool.spawn_with(move |cache: Rc<Cache>| square(cache, n % 10))).collect();
    let sum = jobs.into_iter().map(|job| job.join()).sum::<Result<u64, _>>()?;
    // In a job that was sent in another way:
    let known = pool.broadcast(|_worker| async { millpond::worker_state::<Cache>().borrow().len() });
    for known in known.join() {
        assert!(known? <= 10);
    }
    Ok(sum)
}
// ANCHOR_END: cache

#[test]
fn each_worker_has_a_cache_of_its_own() {
    unhung("each_worker_has_a_cache_of_its_own", || {
        assert_eq!(squares(common::builder(2)).unwrap(), 10 * 285);
    });
}

// ANCHOR: wrong
/// Keeps the borrow while it waits, and so while others run on this worker.
#[allow(clippy::await_holding_refcell_ref)] // clippy knows this trap, and warns of it
async fn wrong(total: Rc<RefCell<u64>>, next: channel::Receiver<u64>) {
    let mut total = total.borrow_mut();
    *total += next.recv().await.unwrap_or_default();
}

/// Borrows when it has what it waited for.
async fn right(total: Rc<RefCell<u64>>, next: channel::Receiver<u64>) {
    let number = next.recv().await.unwrap_or_default();
    *total.borrow_mut() += number;
}
// ANCHOR_END: wrong

#[test]
fn a_borrow_over_an_await_is_a_panic_of_whoever_comes_then() {
    unhung("a_borrow_over_an_await_is_a_panic_of_whoever_comes_then", || {
        let pool = common::pool(1);
        let job = pool.spawn(|| async {
            let (send, next) = channel::unbounded();
            let total = Rc::new(RefCell::new(0));
            let first = millpond::spawn_local(wrong(Rc::clone(&total), next.clone()));
            let second = millpond::spawn_local(wrong(Rc::clone(&total), next.clone()));
            let error = second.await.unwrap_err();
            assert!(error.is_panic() && error.to_string().contains("borrowed"), "{error}");
            send.send(1).await.unwrap();
            first.await.unwrap();

            let both = [(); 2].map(|()| millpond::spawn_local(right(Rc::clone(&total), next.clone())));
            send.send(2).await.unwrap();
            send.send(3).await.unwrap();
            for right in both {
                right.await.unwrap();
            }
            total.take()
        });
        assert_eq!(job.join().unwrap(), 6);
    });
}

// ANCHOR: connections
/// A worker's own connections to one server.
struct Connections {
    server: SocketAddr,
    idle: RefCell<Vec<TcpStream>>,
    opened: Cell<usize>,
}

impl Connections {
    async fn take(&self) -> io::Result<TcpStream> {
        // The borrow ends here, before the await.
        let idle = self.idle.borrow_mut().pop();
        if let Some(stream) = idle {
            return Ok(stream);
        }
        self.opened.set(self.opened.get() + 1);
        TcpStream::connect_addr(self.server).await
    }

    fn give_back(&self, stream: TcpStream) {
        self.idle.borrow_mut().push(stream);
    }
}

/// Asks, on a connection that is there or on a new one.
async fn ask(connections: Rc<Connections>, question: &'static [u8; 4]) -> io::Result<Vec<u8>> {
    let mut stream = connections.take().await?;
    stream.write_all(question.as_slice()).await.0?;
    let (read, answer) = stream.read_exact(vec![0; 4]).await;
    read?;
    // Not after an error, a panic or an abort: then it is closed.
    connections.give_back(stream);
    Ok(answer)
}

fn clients(workers: millpond::Builder, server: SocketAddr) -> Result<Pool, millpond::BuildError> {
    let connect = move |_worker| async move {
        Ok(Connections { server, idle: RefCell::default(), opened: Cell::new(0) })
    };
    workers.worker_state(connect).build()
}
// ANCHOR_END: connections

async fn echo(mut stream: TcpStream, _peer: SocketAddr) {
    let (mut read, mut buffer) = stream.read(vec![0; 4]).await;
    while let Ok(1..) = read {
        buffer = stream.write_all(buffer).await.1;
        (read, buffer) = stream.read(buffer).await;
    }
}

#[test]
fn each_worker_keeps_its_connections() {
    unhung("each_worker_keeps_its_connections", || {
        for driver in common::io_drivers() {
            let servers = common::builder(1).driver(driver).build().unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let server = net::serve(&servers, listener, net::Balance::LeastConnections, echo).unwrap();
            let clients = clients(common::builder(2).driver(driver), server.local_addr()).unwrap();
            for _ in 0..20 {
                let answer = clients.spawn_with(|connections| ask(connections, b"ping"));
                assert_eq!(answer.join().unwrap().unwrap(), b"ping");
            }
            let opened =
                clients.broadcast(|_| async { millpond::worker_state::<Connections>().opened.get() });
            let opened: Vec<usize> = opened.join().into_iter().map(Result::unwrap).collect();
            assert!(opened.iter().all(|opened| *opened <= 1) && opened.contains(&1), "{opened:?}");
        }
    });
}

// ANCHOR: failed
/// What a factory cannot make, no pool starts without.
fn without_its_file() -> millpond::BuildError {
    let open = |_worker| async { Ok(monoio::fs::File::open("/no/such/index").await?) };
    Pool::builder().worker_threads(2).worker_state(open).build().unwrap_err()
}
// ANCHOR_END: failed

#[test]
fn a_state_that_cannot_be_made_is_the_builds_error() {
    unhung("a_state_that_cannot_be_made_is_the_builds_error", || {
        let error = without_its_file().to_string();
        assert!(error.contains("worker_state") && error.contains("No such file"), "{error}");
    });
}
