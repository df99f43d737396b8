//! The body of `main` is woken from any thread.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use traps_seen::{LONG, gone, within};

fn main() -> ExitCode {
    let received = within(LONG, receive);
    println!("received: {received:?}");
    gone(received == Some(42))
}

// ANCHOR: receive
#[millpond::main]
async fn receive() -> u32 {
    let (sender, receiver) = flume::unbounded();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        sender.send(42)
    });
    receiver.recv_async().await.expect("it was sent")
}
// ANCHOR_END: receive
