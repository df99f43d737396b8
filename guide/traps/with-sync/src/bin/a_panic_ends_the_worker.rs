//! A panic takes its worker with it. A job that is then sent wakes the dead one; after the last worker none is run at all.

use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use traps_seen::shown;
use traps_with_sync::{Job, job, pool};

const PATIENCE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    // ANCHOR: panics
    let (jobs, threads) = pool(2);
    let dead = || threads.iter().filter(|thread| thread.is_finished()).count();
    for workers in 1..=2 {
        while dead() < workers {
            jobs.send(job(|| async { panic!("a job's own fault") })).expect("a receiver is there");
            thread::sleep(Duration::from_millis(50));
        }
        let answered = (0..4).filter(|_| ask(&jobs)).count();
        println!("{} of 2 workers dead: {answered} of 4 jobs answered within {PATIENCE:?}", dead());
    }
    // ANCHOR_END: panics
    shown(!ask(&jobs))
}

// ANCHOR: ask
/// Whether a job answers in time.
fn ask(jobs: &flume::Sender<Job>) -> bool {
    let (reply, answer) = mpsc::channel();
    let question = job(move || async move { _ = reply.send(42) });
    jobs.send(question).expect("a receiver is there");
    answer.recv_timeout(PATIENCE).is_ok()
}
// ANCHOR_END: ask
