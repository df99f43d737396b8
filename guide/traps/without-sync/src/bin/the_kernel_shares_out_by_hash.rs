//! With `SO_REUSEPORT` the kernel gives connections to listeners by a hash, and not to the one with the fewest.

use std::net::{SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};
use std::thread;

use monoio::net::TcpListener;
use traps_seen::shown;

const WORKERS: usize = 4;
const CONNECTIONS: usize = 64;

fn main() -> ExitCode {
    let first = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = first.local_addr().expect("it is bound");
    drop(first);
    let counts: Arc<[AtomicUsize; WORKERS]> = Arc::default();
    let (up, ready) = flume::unbounded();
    for worker in 0..WORKERS {
        let (counts, up) = (Arc::clone(&counts), up.clone());
        thread::spawn(move || accept(address, counts, worker, up));
    }
    for _ in 0..WORKERS {
        ready.recv().expect("the listener is up");
    }
    let clients: Vec<_> =
        (0..CONNECTIONS).map(|_| TcpStream::connect(address).expect("it listens")).collect();
    let sum = || counts.iter().map(|count| count.load(SeqCst)).sum::<usize>();
    while sum() < CONNECTIONS {
        thread::yield_now();
    }
    println!("{} connections on {WORKERS} workers: {counts:?}", clients.len());
    // A tenth more than its share.
    let most = counts.iter().map(|count| count.load(SeqCst)).max();
    shown(most > Some(CONNECTIONS / WORKERS * 11 / 10))
}

// ANCHOR: accept
#[monoio::main]
async fn accept(
    address: SocketAddr,
    counts: Arc<[AtomicUsize; WORKERS]>,
    worker: usize,
    up: flume::Sender<()>,
) {
    let listener = TcpListener::bind(address).expect("the port is shared"); // monoio sets SO_REUSEPORT by itself
    let _ = up.send(());
    let mut open = Vec::new();
    while let Ok((stream, _)) = listener.accept().await {
        open.push(stream);
        counts[worker].fetch_add(1, SeqCst);
    }
}
// ANCHOR_END: accept
