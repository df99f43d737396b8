//! A job that waits on its worker is woken from any thread.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use traps_seen::gone;

fn main() -> ExitCode {
    // ANCHOR: send
    let pool = millpond::Pool::builder().worker_threads(1).build().expect("a worker starts");
    let (sender, receiver) = flume::unbounded();
    let job = pool.spawn(|| async move { receiver.recv_async().await });
    thread::sleep(Duration::from_millis(50)); // by now the job waits
    let sent = thread::spawn(move || sender.send(42).is_ok()).join();
    let received = job.join();
    println!("the sender's thread: {sent:?}, received: {received:?}");
    // ANCHOR_END: send
    gone(matches!((sent, received), (Ok(true), Ok(Ok(42)))))
}
