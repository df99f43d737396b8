//! The pieces of the chapter "Balance".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use millpond::Pool;
use millpond::net::{self, Balance, Server};
use monoio::io::{AsyncReadRent, AsyncReadRentExt, AsyncWriteRentExt};
use monoio::net::TcpStream;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;

// ANCHOR: computes
/// One of two workers computes, and a hundred jobs are sent behind it. Says whether
/// they ended meanwhile.
fn others_go_on(pool: &Pool) -> bool {
    let (finish, gate) = mpsc::channel::<()>();
    // No await: it holds its worker.
    let computes = pool.spawn(move || async move { gate.recv().is_err() });
    let others: Vec<_> = (0..100).map(|n| pool.spawn(move || async move { n })).collect();
    for other in others {
        // Would wait for ever for one that is behind `computes`.
        other.join().expect("no job panics");
    }
    let went_on = !computes.is_finished();
    drop(finish);
    computes.join().expect("it ends");
    went_on
}
// ANCHOR_END: computes

#[test]
fn nothing_waits_behind_a_worker_that_computes() {
    unhung("nothing_waits_behind_a_worker_that_computes", || assert!(others_go_on(&common::pool(2))));
}

// ANCHOR: connections
/// Keeps its connection until the peer closes it.
async fn hold(mut stream: TcpStream, _peer: SocketAddr) {
    let _ = stream.read(vec![0; 1]).await;
}

/// Eight connections on four workers.
fn spread(pool: &Pool, balance: Balance) -> Vec<usize> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = net::serve(pool, listener, balance, hold).expect("it serves");
    let open = || std::net::TcpStream::connect(server.local_addr()).expect("it listens");
    let _connections: Vec<_> = (0..8).map(|_| open()).collect();
    while server.open_connections() < 8 {
        std::thread::yield_now(); // until all are accepted
    }
    server.connections_per_worker()
}
// ANCHOR_END: connections

#[test]
fn the_worker_with_the_fewest_gets_the_next() {
    unhung("the_worker_with_the_fewest_gets_the_next", || {
        for pool in common::pools_on(common::io_drivers(), 4) {
            assert_eq!(spread(&pool, Balance::LeastConnections), [2; 4]);
            assert_eq!(spread(&pool, Balance::RoundRobin), [2; 4]);
            assert_eq!(spread(&pool, Balance::ReusePort).iter().sum::<usize>(), 8);
        }
    });
}

// ANCHOR: handoff
/// The first byte names a shard. Each worker has one of them, and goes on with the
/// connections that ask for it.
async fn by_shard(mut stream: TcpStream, _peer: SocketAddr) {
    let (read, shard) = stream.read_exact(vec![0; 1]).await;
    if read.is_err() {
        return;
    }
    let workers = millpond::Handle::current().workers().to_vec();
    let owner = workers[usize::from(shard[0]) % workers.len()];
    let moved = net::handoff(stream, owner, |mut stream: TcpStream| async move {
        let answer = format!("shard of {}", millpond::worker_id());
        let _ = stream.write_all(answer.into_bytes()).await;
    });
    // The server still counts it, and waits for it.
    drop(moved.expect("a worker of this pool"));
}
// ANCHOR_END: handoff

#[test]
fn a_connection_goes_on_where_its_shard_is() {
    unhung("a_connection_goes_on_where_its_shard_is", || {
        for pool in common::pools_on(common::io_drivers(), 2) {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let server = Server::builder().serve(&pool, listener, by_shard).unwrap();
            for shard in 0..4_u8 {
                let mut peer = std::net::TcpStream::connect(server.local_addr()).unwrap();
                peer.write_all(&[shard]).unwrap();
                let mut answer = String::new();
                peer.read_to_string(&mut answer).unwrap();
                assert_eq!(answer, format!("shard of worker {}", shard % 2));
            }
            assert_eq!(server.shutdown_blocking().served, 4);
        }
    });
}
