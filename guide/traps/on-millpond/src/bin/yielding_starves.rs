//! A task that yields goes to the end of the queue: its siblings and the timers get their turn.

use std::future::poll_fn;
use std::process::ExitCode;
use std::task::Poll;
use std::time::{Duration, Instant};

use traps_seen::gone;

const YIELDS: Duration = Duration::from_millis(500);

#[millpond::main(worker_threads = 1)]
async fn main() -> ExitCode {
    // ANCHOR: yields
    let started = Instant::now();
    let sibling = millpond::spawn_local(async move { started.elapsed() });
    let timer = millpond::spawn_local(async move {
        monoio::time::sleep(Duration::from_millis(10)).await;
        started.elapsed()
    });
    let polite = millpond::spawn_local(async move {
        while started.elapsed() < YIELDS {
            yield_now().await;
        }
    });
    let later = millpond::spawn_local(async move { started.elapsed() });
    polite.await.expect("it ran");
    let (sibling, later, timer) = (sibling.await.unwrap(), later.await.unwrap(), timer.await.unwrap());
    println!("first polled: the task before after {sibling:?}, the task behind after {later:?}");
    println!("a timer of 10 ms ended after {timer:?}");
    // ANCHOR_END: yields
    gone(later < YIELDS && timer < YIELDS)
}

async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
