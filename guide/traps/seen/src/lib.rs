//! What a program says of the trap that it is about, and how it looks at its own process.

use std::fs;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for anything that is to happen, on a busy machine too; what has not happened by then never will.
pub const LONG: Duration = Duration::from_secs(2);

/// The status of a program that was to see a trap: success if it did.
pub fn shown(trap: bool) -> ExitCode {
    println!("{}", if trap { "the trap was seen" } else { "the trap was not seen" });
    ExitCode::from(u8::from(!trap))
}

/// The status of a program that was to see no trap: success if it saw none.
pub fn gone(fine: bool) -> ExitCode {
    println!("{}", if fine { "no trap here" } else { "the trap is here" });
    ExitCode::from(u8::from(!fine))
}

/// What `body` returns, if it does so within `limit`; its thread is left to itself then, until the process ends.
pub fn within<T: Send + 'static>(limit: Duration, body: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(body()));
    // Ends with the result, by its panic, or at the limit.
    result.recv_timeout(limit).ok()
}

/// Keeps this thread's CPU busy.
pub fn compute(time: Duration) {
    let started = Instant::now();
    while started.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// The CPU time that this process has had, in milliseconds.
pub fn cpu_ms() -> u64 {
    // Linux counts it in hundredths of a second, whatever the kernel's own tick.
    const TICK_MS: u64 = 10;
    let stat = fs::read_to_string("/proc/self/stat").expect("/proc is there");
    let (_, after_name) = stat.rsplit_once(") ").expect("the name stands in brackets");
    let ticks = |index: usize| after_name.split(' ').nth(index).and_then(|field| field.parse::<u64>().ok());
    // User and system time: the fields 14 and 15 of the line, which begins with two that were taken off.
    (ticks(11).expect("user time") + ticks(12).expect("system time")) * TICK_MS
}

/// The memory that this process holds, in KiB.
pub fn resident_kib() -> u64 {
    let line = status("VmRSS:");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("it is a number")
}

/// The CPUs on which this thread may run, as the kernel lists them.
pub fn allowed_cpus() -> String {
    status("Cpus_allowed_list:").trim().to_owned()
}

fn status(field: &str) -> String {
    let status = fs::read_to_string("/proc/thread-self/status").expect("/proc is there");
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.expect("the kernel tells it").to_owned()
}

/// How many descriptors this process holds.
pub fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").expect("/proc is there").count()
}
