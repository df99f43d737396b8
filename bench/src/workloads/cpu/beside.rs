//! Small jobs with I/O beside those that compute: how long each waited for its start, and for its end.

use std::fs::File;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{env, io};

use millpond::Handle;
use rustix::thread::set_current_timer_slack;

use crate::latency::Latencies;
use crate::measure::{Metric, check, micros};

const EVERY: Duration = Duration::from_millis(1);

/// What each reads of this program's own file, which the page cache has.
const READ_BYTES: usize = 4096;

/// The thread that sends them.
pub(super) struct Beside {
    stop: Arc<AtomicBool>,
    sender: JoinHandle<Result<Told, String>>,
}

struct Told {
    /// From the send to the job's first step.
    waits: Latencies,
    /// From the send to the job's end, after its read.
    ends: Latencies,
}

impl Beside {
    pub(super) fn start(pool: Handle) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let theirs = Arc::clone(&stop);
        Beside { stop, sender: thread::spawn(move || send(&pool, &theirs)) }
    }

    pub(super) fn stop(self) -> Result<Vec<Metric>, String> {
        self.stop.store(true, Relaxed);
        // Ended by the last job that it sent.
        let told = self.sender.join().map_err(|_| "the thread beside panicked".to_owned())??;
        Ok(vec![
            micros("wait p50", told.waits.percentile(50.0)),
            micros("wait p99", told.waits.percentile(99.0)),
            micros("wait max", told.waits.percentile(100.0)),
            micros("I/O p50", told.ends.percentile(50.0)),
            micros("I/O p99", told.ends.percentile(99.0)),
        ])
    }
}

/// One every millisecond, also where the ones before have not ended.
fn send(pool: &Handle, stop: &AtomicBool) -> Result<Told, String> {
    // The kernel may else be 50 us late, to save wake-ups.
    let _ = set_current_timer_slack(NonZeroU64::new(1));
    let path: Arc<PathBuf> = env::current_exe().map_err(|error| error.to_string())?.into();
    let told = Arc::new(Mutex::new(Told { waits: Latencies::new(), ends: Latencies::new() }));
    let mut due = Instant::now();
    let mut jobs = Vec::new();
    while !stop.load(Relaxed) {
        due += EVERY;
        // Ended by the kernel's timer.
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let (path, told, sent) = (Arc::clone(&path), Arc::clone(&told), Instant::now());
        jobs.push(pool.spawn(move || async move {
            let waited = sent.elapsed();
            let bytes = read(&path).await?;
            let mut told = told.lock().expect("nothing panics under the lock");
            told.waits.record(waited);
            told.ends.record(sent.elapsed());
            io::Result::Ok(bytes)
        }));
    }
    for job in jobs {
        // Ended by the read.
        let bytes = job.join().map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        check("the bytes read", bytes, READ_BYTES)?;
    }
    let told = Arc::try_unwrap(told).map_err(|_| "a job is left".to_owned())?;
    told.into_inner().map_err(|error| error.to_string())
}

async fn read(path: &PathBuf) -> io::Result<usize> {
    let file = monoio::fs::File::from_std(File::open(path)?)?;
    // Ended by the ring.
    file.read_at(Vec::with_capacity(READ_BYTES), 0).await.0
}
