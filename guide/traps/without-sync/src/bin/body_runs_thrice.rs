//! `threads = 3` runs the whole body on each of three threads.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

static RUNS: AtomicU32 = AtomicU32::new(0);

// ANCHOR: body
#[monoio::main(threads = 3)]
async fn write_a_file() {
    let path = std::env::temp_dir().join("body_runs_thrice.txt");
    let file = monoio::fs::File::create(path).await.expect("the file can be made");
    file.write_all_at(b"world".to_vec(), 0).await.0.expect("there is room");
    println!("wrote to file!");
    RUNS.fetch_add(1, SeqCst);
}
// ANCHOR_END: body

fn main() -> ExitCode {
    write_a_file();
    traps_seen::shown(RUNS.load(SeqCst) == 3)
}
