//! System calls, as the kernel counts them by its tracepoint. Counting makes each a quarter slower, and so is no part of
//! what is timed: the same work is done once more for it.

use std::fs;

use perf_event::events::Tracepoint;
use perf_event::{Builder, Counter};
use rustix::io::Errno;

use crate::measure::{Metric, metric};

/// What part of the timed jobs is run once more.
pub(crate) const COUNTED_SHARE: u64 = 10;

/// Where the tracepoint's number is: by itself, or within the older file system.
const IDS: [&str; 2] = [
    "/sys/kernel/tracing/events/raw_syscalls/sys_enter/id",
    "/sys/kernel/debug/tracing/events/raw_syscalls/sys_enter/id",
];

/// Counts the calls of all threads that there were, and of those that they start.
#[derive(Debug)]
pub(crate) struct Syscalls(Vec<Counter>);

impl Syscalls {
    /// Begins. Where the kernel does not allow it, nothing is counted: the runner has said so.
    pub(crate) fn count() -> Self {
        Syscalls(counters().unwrap_or_default())
    }

    /// Those up to now, if they were counted.
    pub(crate) fn per_job(mut self, jobs: u64) -> Option<Metric> {
        let counts = self.0.iter_mut().map(|counter| counter.read().ok());
        let calls = counts.sum::<Option<u64>>().filter(|_| !self.0.is_empty())?;
        Some(metric("syscalls", calls as f64 / jobs as f64, "per job"))
    }
}

/// Why the kernel does not let this process count.
pub(crate) fn refusal() -> Option<String> {
    counters().err()
}

/// One for each thread of this process.
fn counters() -> Result<Vec<Counter>, String> {
    let id = IDS.iter().find_map(|path| fs::read_to_string(path).ok()?.trim().parse().ok());
    let event = Tracepoint::with_id(id.ok_or_else(|| format!("{} cannot be read", IDS[0]))?);
    let threads = fs::read_dir("/proc/self/task").map_err(|error| format!("/proc/self/task: {error}"))?;
    let ids = threads.filter_map(|thread| thread.ok()?.file_name().to_str()?.parse().ok());
    let counter = |thread: i32| {
        let counter = Builder::new(event).observe_pid(thread).inherit(true).include_kernel().build();
        // A thread that has ended meanwhile is passed over.
        Some(counter)
            .filter(|counter| counter.as_ref().err().and_then(Errno::from_io_error) != Some(Errno::SRCH))
    };
    let counters: Result<Vec<Counter>, _> = ids.filter_map(counter).collect();
    let mut counters = counters.map_err(|error| format!("perf_event_open: {error}"))?;
    // Once all are there: opening them is not counted.
    counters.iter_mut().try_for_each(Counter::enable).map_err(|error| format!("perf_event_open: {error}"))?;
    Ok(counters)
}
