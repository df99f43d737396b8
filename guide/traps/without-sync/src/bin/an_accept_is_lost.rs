//! An accept that is dropped when it has just succeeded loses its connection: nobody serves it, and nobody closes it.

use std::future::{Future, poll_fn};
use std::net::TcpStream;
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;
use std::time::Duration;

use monoio::net::TcpListener;
use traps_seen::{descriptors, shown};

const CONNECTIONS: usize = 20;

#[monoio::main(timer_enabled = true)]
async fn main() -> ExitCode {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let before = descriptors();
    for _ in 0..CONNECTIONS {
        // ANCHOR: accept
        {
            let mut accept = pin!(listener.accept());
            // Begins to accept, as `select!` or a timeout does.
            poll_fn(|context| Poll::Ready(accept.as_mut().poll(context).is_ready())).await;
            monoio::time::sleep(Duration::from_millis(1)).await;
            drop(TcpStream::connect(address).expect("the kernel takes it"));
        } // and drops it, as when another branch is ready first
        // ANCHOR_END: accept
        monoio::time::sleep(Duration::from_millis(5)).await;
    }
    let left = descriptors() - before;
    println!("{CONNECTIONS} connections came and went, and left {left} descriptors");
    shown(left > 0)
}
