//! Works until it is told to stop, and then ends what it has begun.

// ANCHOR: all
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Before anything can be lost to one.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let pool = millpond::Pool::builder().worker_threads(2).build()?;
    let server = pool.handle(); // what the rest of the program sends its jobs by
    drop(server.spawn(|| async { println!("at work") }));

    signals.forever().next(); // blocks this thread, and no worker
    let receipt = pool.shutdown_timeout_blocking(Duration::from_secs(10));
    println!("{} of {} jobs completed", receipt.completed, receipt.accepted());
    Ok(())
}
// ANCHOR_END: all
