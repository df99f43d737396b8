//! A job waits for a worker that computes, though another has nothing to do.

use std::process::ExitCode;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use traps_seen::{compute, shown};
use traps_with_sync::{job, pool};

const COMPUTES: Duration = Duration::from_millis(900);

fn main() -> ExitCode {
    // ANCHOR: stranded
    let (jobs, _threads) = pool(2);
    let (begins, begun) = mpsc::channel();
    let long = job(move || async move {
        let _ = begins.send(());
        compute(COMPUTES);
    });
    jobs.send(long).expect("the workers live");
    begun.recv().expect("the long job has begun");
    let longest = (0..8).map(|_| wait(&jobs)).max().expect("there were eight");
    println!("a job of no length waited for {longest:?}, and one of two workers was idle");
    // ANCHOR_END: stranded
    shown(longest > COMPUTES / 2)
}

/// How long a job waits that does nothing else.
fn wait(jobs: &flume::Sender<traps_with_sync::Job>) -> Duration {
    let (reply, waited) = mpsc::channel();
    let sent = Instant::now();
    let short = job(move || async move { _ = reply.send(sent.elapsed()) });
    jobs.send(short).expect("the workers live");
    waited.recv().expect("the job ran")
}
