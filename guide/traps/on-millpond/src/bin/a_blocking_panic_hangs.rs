//! Who awaits a blocking closure that panics is told so.

use std::process::ExitCode;

use traps_seen::{LONG, gone};

#[millpond::main(worker_threads = 1)]
async fn main() -> ExitCode {
    // ANCHOR: blocking
    let closure = millpond::spawn_blocking(|| panic!("the closure's own fault"));
    let ended = millpond::time::timeout(LONG, closure).await.expect("it ends");
    let error = ended.expect_err("it panicked");
    println!("{error}");
    // ANCHOR_END: blocking
    gone(error.is_panic())
}
