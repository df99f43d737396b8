//! Every wake from another thread is kept until its worker comes to it, also those of one and the same task.

use std::future::poll_fn;
use std::process::ExitCode;
use std::sync::mpsc;
use std::task::{Poll, Waker};
use std::thread;

use traps_seen::{resident_kib, shown};

const WAKES: u32 = 1_000_000;

fn main() -> ExitCode {
    let (wakers, waker) = mpsc::channel();
    let (go_on, wait) = mpsc::channel();
    thread::spawn(move || busy(wakers, wait));
    let waker: Waker = waker.recv().expect("the task has begun");
    // ANCHOR: wakes
    let before = resident_kib();
    for _ in 0..WAKES {
        waker.wake_by_ref();
    }
    let more = resident_kib().saturating_sub(before);
    println!("one task, woken {WAKES} times while its worker was busy: {more} KiB");
    // ANCHOR_END: wakes
    drop(go_on);
    shown(more > 8 * 1024)
}

#[monoio::main]
async fn busy(wakers: mpsc::Sender<Waker>, wait: mpsc::Receiver<()>) {
    monoio::spawn(poll_fn(move |context| {
        let _ = wakers.send(context.waker().clone());
        Poll::<()>::Pending
    }));
    // The task gets its turn. Then this one holds the thread until the wakes have been made.
    monoio::spawn(async {}).await;
    let _ = wait.recv();
}
