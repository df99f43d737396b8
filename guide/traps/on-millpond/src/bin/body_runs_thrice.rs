//! `worker_threads = 3` makes three workers. The body runs once, and sends them jobs.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

static RUNS: AtomicU32 = AtomicU32::new(0);

// ANCHOR: body
#[millpond::main(worker_threads = 3)]
async fn write_a_file() -> std::io::Result<()> {
    let wrote = millpond::spawn(|| async {
        let path = std::env::temp_dir().join("body_runs_once.txt");
        let file = monoio::fs::File::create(path).await?;
        file.write_all_at(b"world".to_vec(), 0).await.0
    });
    wrote.await.expect("the job ran")?;
    println!("wrote to file!");
    RUNS.fetch_add(1, SeqCst);
    Ok(())
}
// ANCHOR_END: body

fn main() -> ExitCode {
    write_a_file().expect("the file can be written");
    traps_seen::gone(RUNS.load(SeqCst) == 1)
}
