//! `Balance::LeastConnections` gives each connection to the worker with the fewest.

use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

use millpond::net::{Balance, serve};
use millpond::{Pin, Pool};
use traps_seen::gone;

const WORKERS: usize = 4;
const CONNECTIONS: usize = 64;

static COUNTS: [AtomicUsize; WORKERS] = [const { AtomicUsize::new(0) }; WORKERS];

fn main() -> ExitCode {
    let pool = Pool::builder().worker_threads(WORKERS).pin(Pin::None).build().expect("four workers start");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    // ANCHOR: serve
    let server = serve(
        &pool,
        listener,
        Balance::LeastConnections,
        |stream: monoio::net::TcpStream, _peer| async move {
            COUNTS[millpond::worker_id().index()].fetch_add(1, SeqCst);
            std::future::pending::<()>().await; // keeps it open
            drop(stream);
        },
    );
    // ANCHOR_END: serve
    let _server = server.expect("it starts");
    let clients: Vec<_> =
        (0..CONNECTIONS).map(|_| TcpStream::connect(address).expect("it listens")).collect();
    let sum = || COUNTS.iter().map(|count| count.load(SeqCst)).sum::<usize>();
    while sum() < CONNECTIONS {
        thread::yield_now();
    }
    println!("{} connections on {WORKERS} workers: {COUNTS:?}", clients.len());
    gone(COUNTS.iter().all(|count| count.load(SeqCst) == CONNECTIONS / WORKERS))
}
