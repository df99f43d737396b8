//! Beside a worker that computes a job goes to the one that does not.

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use traps_seen::{compute, gone};

const COMPUTES: Duration = Duration::from_millis(900);

fn main() -> ExitCode {
    // ANCHOR: stranded
    let pool = millpond::Pool::builder().worker_threads(2).build().expect("two workers start");
    let (begins, begun) = mpsc::channel();
    let _long = pool.spawn(move || async move {
        let _ = begins.send(());
        compute(COMPUTES);
    });
    begun.recv().expect("the long job has begun");
    let longest = (0..8).map(|_| wait(&pool)).max().expect("there were eight");
    println!("a job of no length waited for {longest:?}, and one of two workers was idle");
    // ANCHOR_END: stranded
    gone(longest < COMPUTES / 2)
}

/// How long a job waits that does nothing else.
fn wait(pool: &millpond::Pool) -> Duration {
    let sent = Instant::now();
    pool.spawn(move || async move { sent.elapsed() }).join().expect("the job ran")
}
