//! A panic harms its own job, and its handle says so.

use std::process::ExitCode;
use std::time::Duration;

use traps_seen::gone;

const PATIENCE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    // ANCHOR: panics
    let pool = millpond::Pool::builder().worker_threads(2).build().expect("two workers start");
    for _ in 0..2 {
        let job = pool.spawn(|| async { panic!("a job's own fault") });
        println!("{}", job.join().expect_err("it panicked"));
    }
    let answered = (0..4).filter(|_| ask(&pool)).count();
    println!("{answered} of 4 jobs answered within {PATIENCE:?}");
    // ANCHOR_END: panics
    gone(answered == 4)
}

/// Whether a job answers in time.
fn ask(pool: &millpond::Pool) -> bool {
    matches!(pool.spawn(|| async { 42 }).join_timeout(PATIENCE), Ok(Ok(42)))
}
