//! A pool with nothing to do takes a whole CPU, and more memory with every second.
//!
//! Only in a build with optimisations and several codegen units, which is what `cargo build --release` makes; and only in most
//! runs.

use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use traps_seen::{cpu_ms, resident_kib, shown};
use traps_with_sync::{job, pool};

const WATCHED: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    // ANCHOR: idle
    let (jobs, _threads) = pool(2);
    for _ in 0..8 {
        burst(&jobs);
    }
    // Every job is done, and none is sent any more.
    let (cpu, memory) = (cpu_ms(), resident_kib());
    thread::sleep(WATCHED);
    let (cpu, memory) = (cpu_ms() - cpu, resident_kib().saturating_sub(memory));
    println!("idle for {WATCHED:?}: {cpu} ms of CPU, {} MiB more memory", memory / 1024);
    // ANCHOR_END: idle
    // The kernel counts CPU time in steps of 10 ms. On a busy machine a worker that runs in circles gets little of it.
    shown(cpu > 20 && memory > 1024)
}

fn burst(jobs: &flume::Sender<traps_with_sync::Job>) {
    let (done, all_done) = mpsc::channel();
    for _ in 0..5_000 {
        let done = done.clone();
        jobs.send(job(move || async move { _ = done.send(()) })).expect("the workers live");
    }
    drop(done);
    // Ends when the last job has dropped its sender.
    while all_done.recv().is_ok() {}
    thread::sleep(Duration::from_millis(20));
}
