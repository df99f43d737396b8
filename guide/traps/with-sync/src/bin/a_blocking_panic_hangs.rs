//! Who awaits a blocking closure that panics waits for ever.

use std::process::ExitCode;

use monoio::blocking::DefaultThreadPool;
use traps_seen::{LONG, shown};

fn main() -> ExitCode {
    let builder = monoio::RuntimeBuilder::<monoio::FusionDriver>::new().enable_timer();
    let builder = builder.attach_thread_pool(Box::new(DefaultThreadPool::new(1)));
    let ended = builder.build().expect("a runtime starts").block_on(async {
        // ANCHOR: blocking
        let closure = monoio::spawn_blocking(|| panic!("the closure's own fault"));
        let ended = monoio::time::timeout(LONG, closure).await;
        println!("the closure ended within {LONG:?}: {}", ended.is_ok());
        // ANCHOR_END: blocking
        ended.is_ok()
    });
    shown(!ended)
}
