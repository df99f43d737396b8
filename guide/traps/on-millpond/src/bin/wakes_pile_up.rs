//! A task that has been woken and not yet run is not queued once more.

use std::future::poll_fn;
use std::process::ExitCode;
use std::sync::mpsc;
use std::task::{Poll, Waker};

use traps_seen::{gone, resident_kib};

const WAKES: u32 = 1_000_000;

fn main() -> ExitCode {
    let (wakers, waker) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    let (holds, held) = mpsc::channel();
    let pool = millpond::Pool::builder().worker_threads(1).build().expect("a worker starts");
    let _woken = pool.spawn(move || {
        poll_fn(move |context| {
            let _ = wakers.send(context.waker().clone());
            Poll::<()>::Pending
        })
    });
    let waker: Waker = waker.recv().expect("the task has begun");
    let _holder = pool.spawn(move || async move {
        let _ = holds.send(());
        let _ = wait.recv(); // holds the worker until the wakes have been made
    });
    held.recv().expect("the worker is held");
    // ANCHOR: wakes
    let before = resident_kib();
    for _ in 0..WAKES {
        waker.wake_by_ref();
    }
    let more = resident_kib().saturating_sub(before);
    println!("one task, woken {WAKES} times while its worker was busy: {more} KiB");
    // ANCHOR_END: wakes
    drop(go_on);
    gone(more < 1024)
}
