//! What each worker has done, for the progress bar and for the table at the end.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use indicatif::BinaryBytes;
use millpond::Handle;
use rustix::time::ClockId;

/// One count a worker, and one for what is read off the workers.
#[derive(Debug)]
pub(crate) struct Tally {
    started: Instant,
    workers: Vec<Count>,
    /// Written by the thread that walks: standard input, FIFOs and devices.
    streams: Count,
}

/// Written by one thread and read by the progress bar, hence relaxed: the figures are exact once the jobs
/// are awaited. A cache line pair of its own, so that workers do not slow each other by counting.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Count {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Tally {
    pub(crate) fn new(workers: usize) -> Self {
        let workers = (0..workers).map(|_| Count::default()).collect();
        Self { started: Instant::now(), workers, streams: Count::default() }
    }

    pub(crate) fn add_file(&self) {
        self.of_this_worker().files.fetch_add(1, Relaxed);
    }

    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.of_this_worker().bytes.fetch_add(bytes, Relaxed);
    }

    pub(crate) fn add_stream_file(&self) {
        self.streams.files.fetch_add(1, Relaxed);
    }

    pub(crate) fn add_stream_bytes(&self, bytes: u64) {
        self.streams.bytes.fetch_add(bytes, Relaxed);
    }

    fn of_this_worker(&self) -> &Count {
        &self.workers[millpond::worker_id().index()]
    }

    fn all(&self) -> impl Iterator<Item = &Count> {
        self.workers.iter().chain([&self.streams])
    }

    /// Bytes hashed so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.all().map(|count| count.bytes.load(Relaxed)).sum()
    }

    /// The table: a line a worker, then the sum. Busy is the share of the time since the start in which
    /// the worker had the CPU, for hashing, polling and the kernel's copying alike.
    pub(crate) async fn table(&self, pool: &Handle) -> String {
        let wall = self.started.elapsed();
        // Ended by the last worker's answer.
        let cpu_times = pool.broadcast(|_| async { cpu_time() }).await;
        let mut table = format!("{:<11} {:>9} {:>12} {:>6}\n", "worker", "files", "bytes", "busy");
        for (index, (count, cpu_time)) in self.workers.iter().zip(cpu_times).enumerate() {
            // A worker that does not answer has its figures all the same.
            let busy = cpu_time.map_or("?".to_owned(), |time| share(time, wall));
            line(&mut table, &index.to_string(), count, &busy);
        }
        if self.streams.files.load(Relaxed) > 0 {
            line(&mut table, "no worker", &self.streams, "");
        }
        let sum = Count::default();
        for count in self.all() {
            sum.files.fetch_add(count.files.load(Relaxed), Relaxed);
            sum.bytes.fetch_add(count.bytes.load(Relaxed), Relaxed);
        }
        line(&mut table, &format!("{:.2} s", wall.as_secs_f64()), &sum, "");
        table
    }
}

fn line(table: &mut String, name: &str, count: &Count, busy: &str) {
    let (files, bytes) = (count.files.load(Relaxed), BinaryBytes(count.bytes.load(Relaxed)));
    // Formatted on its own: the type ignores the width.
    let bytes = bytes.to_string();
    let line = format!("{name:<11} {files:>9} {bytes:>12} {busy:>6}");
    let _ = writeln!(table, "{}", line.trim_end());
}

fn share(part: Duration, whole: Duration) -> String {
    format!("{:.0} %", 100.0 * part.as_secs_f64() / whole.as_secs_f64())
}

/// The CPU time of the present thread.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
