//! `net::serve` accepts on its own, and drops no accept: each connection is served or closed, also at the end.

use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::thread;

use millpond::Pool;
use millpond::net::{Balance, serve};
use traps_seen::{descriptors, gone};

const STOPS: usize = 20;

fn main() -> ExitCode {
    let pool = Pool::builder().worker_threads(1).build().expect("a worker starts");
    stop_while_one_connects(&pool); // what is opened once for the process is no leak
    let before = descriptors();
    for _ in 0..STOPS {
        stop_while_one_connects(&pool);
    }
    let left = descriptors() - before;
    println!("{STOPS} servers were stopped while clients came, and left {left} descriptors");
    gone(left == 0)
}

// ANCHOR: stop
fn stop_while_one_connects(pool: &Pool) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let server =
        serve(pool, listener, Balance::LeastConnections, |_stream: monoio::net::TcpStream, _peer| async {})
            .expect("it starts");
    // Comes until it is refused.
    let client = thread::spawn(move || while TcpStream::connect(address).is_ok() {});
    server.shutdown_blocking();
    client.join().expect("it does not panic");
}
// ANCHOR_END: stop
