//! Whoever sends to a task that waits on another thread panics. If that drops the last sender, the process is ended.

use std::env;
use std::process::{Command, ExitCode};
use std::thread;
use std::time::Duration;

use traps_seen::shown;

fn main() -> ExitCode {
    if env::args().len() > 1 {
        send();
        return ExitCode::SUCCESS;
    }
    let program = env::current_exe().expect("it has a path");
    let output = Command::new(program).arg("send").output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr);
    for line in told.lines().filter(|line| line.contains("waker can only") || line.contains("destructor")) {
        println!("{line}");
    }
    println!("{}", output.status);
    shown(!output.status.success())
}

// ANCHOR: send
fn send() {
    let (sender, receiver) = flume::unbounded();
    thread::spawn(move || receive(receiver));
    thread::sleep(Duration::from_millis(50)); // by now the task waits
    sender.send(42).expect("the receiver is there");
}

#[monoio::main]
async fn receive(receiver: flume::Receiver<u32>) {
    let task = monoio::spawn(async move { receiver.recv_async().await });
    println!("received: {:?}", task.await);
}
// ANCHOR_END: send
