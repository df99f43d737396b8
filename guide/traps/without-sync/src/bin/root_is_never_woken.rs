//! A root future that waits for another thread is never woken.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use traps_seen::{LONG, shown, within};

fn main() -> ExitCode {
    let received = within(LONG, receive);
    println!("received after {LONG:?}: {received:?}");
    shown(received.is_none())
}

// ANCHOR: receive
#[monoio::main]
async fn receive() -> u32 {
    let (sender, receiver) = flume::unbounded();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        sender.send(42)
    });
    receiver.recv_async().await.expect("it was sent")
}
// ANCHOR_END: receive
