//! A body that wakes itself is polled in turns with the timers and the I/O.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;
use std::time::{Duration, Instant};

use traps_seen::gone;

const LIMIT: Duration = Duration::from_millis(500);

#[millpond::main(worker_threads = 1)]
async fn main() -> ExitCode {
    // ANCHOR: root
    let started = Instant::now();
    let mut timer = pin!(monoio::time::sleep(Duration::from_millis(10)));
    let fired = poll_fn(|context| {
        if timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(true);
        }
        if started.elapsed() > LIMIT {
            return Poll::Ready(false);
        }
        context.waker().wake_by_ref(); // there may be more to do
        Poll::Pending
    })
    .await;
    println!("a timer of 10 ms, after {:?}: fired {fired}", started.elapsed());
    // ANCHOR_END: root
    gone(fired)
}
