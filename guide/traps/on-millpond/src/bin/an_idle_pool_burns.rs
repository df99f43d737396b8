//! A pool with nothing to do takes nothing, whatever came before.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use millpond::Pool;
use traps_seen::{cpu_ms, gone, resident_kib};

const WATCHED: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    // ANCHOR: idle
    let pool = Pool::builder().worker_threads(2).build().expect("two workers start");
    for _ in 0..8 {
        burst(&pool);
    }
    let (cpu, memory) = (cpu_ms(), resident_kib());
    thread::sleep(WATCHED);
    let (cpu, memory) = (cpu_ms() - cpu, resident_kib().saturating_sub(memory));
    println!("idle for {WATCHED:?}: {cpu} ms of CPU, {} MiB more memory", memory / 1024);
    // ANCHOR_END: idle
    // The kernel counts CPU time in steps of 10 ms.
    gone(cpu <= 20 && memory < 1024)
}

fn burst(pool: &Pool) {
    let jobs: Vec<_> = (0..5_000).map(|_| pool.spawn(|| async {})).collect();
    for job in jobs {
        job.join().expect("the job ran");
    }
    thread::sleep(Duration::from_millis(20));
}
