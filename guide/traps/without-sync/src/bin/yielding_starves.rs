//! A task that yields goes on at once: its siblings and the timers wait until it has ended.

use std::future::poll_fn;
use std::process::ExitCode;
use std::task::Poll;
use std::time::{Duration, Instant};

use traps_seen::shown;

const YIELDS: Duration = Duration::from_millis(500);

#[monoio::main(timer_enabled = true)]
async fn main() -> ExitCode {
    // ANCHOR: yields
    let started = Instant::now();
    let sibling = monoio::spawn(async move { started.elapsed() });
    let timer = monoio::spawn(async move {
        monoio::time::sleep(Duration::from_millis(10)).await;
        started.elapsed()
    });
    let polite = monoio::spawn(async move {
        while started.elapsed() < YIELDS {
            yield_now().await;
        }
    });
    let later = monoio::spawn(async move { started.elapsed() });
    polite.await;
    let (sibling, later, timer) = (sibling.await, later.await, timer.await);
    println!("first polled: the task before after {sibling:?}, the task behind after {later:?}");
    println!("a timer of 10 ms ended after {timer:?}");
    // ANCHOR_END: yields
    shown(later >= YIELDS && timer >= YIELDS)
}

// ANCHOR: yield_now
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
// ANCHOR_END: yield_now
