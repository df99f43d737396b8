//! The workers of a server: the connections that each has now, and the CPU time that it has used.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use nix::time::ClockId;
use rustix::thread::gettid;

/// One worker's thread. Padded, so that none shares a line with another.
#[derive(Debug)]
#[repr(align(128))]
struct Worker {
    /// Of the thread's CPU time.
    clock: ClockId,
    /// Counted up by its own thread; for a runtime that moves tasks, down by any.
    connections: AtomicUsize,
}

/// What there is to tell of a worker at some time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) connections: usize,
    pub(super) cpu: Duration,
}

static WORKERS: Mutex<Vec<Arc<Worker>>> = Mutex::new(Vec::new());

/// Connections of all workers, and who waits until there are none.
static OPEN: Mutex<usize> = Mutex::new(0);
static NONE_OPEN: Condvar = Condvar::new();

thread_local! {
    static WORKER: OnceCell<Arc<Worker>> = const { OnceCell::new() };
}

/// A connection, as long as it is open. Held by the task that serves it.
#[derive(Debug)]
pub(crate) struct Open(Option<Arc<Worker>>);

/// Called once by each worker's thread, before it serves.
pub(crate) fn enter() {
    WORKER.with(|worker| {
        let worker = worker.get_or_init(|| {
            Arc::new(Worker { clock: clock_of_this_thread(), connections: AtomicUsize::new(0) })
        });
        WORKERS.lock().expect("nothing panics under the lock").push(Arc::clone(worker));
    });
}

impl Open {
    /// Called by the task that serves a connection, on the worker that it starts on.
    pub(crate) fn here() -> Self {
        let worker = WORKER.with(|worker| worker.get().cloned());
        if let Some(worker) = &worker {
            worker.connections.fetch_add(1, Relaxed);
        }
        *OPEN.lock().expect("nothing panics under the lock") += 1;
        Open(worker)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(worker) = &self.0 {
            worker.connections.fetch_sub(1, Relaxed);
        }
        let mut open = OPEN.lock().expect("nothing panics under the lock");
        *open -= 1;
        if *open == 0 {
            NONE_OPEN.notify_all();
        }
    }
}

/// Of each worker, in the order in which they started.
pub(super) fn sample() -> Result<Vec<Sample>, String> {
    let workers = WORKERS.lock().expect("nothing panics under the lock");
    workers.iter().map(|worker| worker.sample()).collect()
}

/// Waits until the last connection has ended; false if that takes longer than `limit`.
pub(super) fn wait_for_ends(limit: Duration) -> bool {
    let open = OPEN.lock().expect("nothing panics under the lock");
    // Ended by the drop of the last connection, which looks under the same lock.
    let waited = NONE_OPEN.wait_timeout_while(open, limit, |open| *open > 0);
    !waited.expect("nothing panics under the lock").1.timed_out()
}

impl Worker {
    fn sample(&self) -> Result<Sample, String> {
        let cpu = self.clock.now().map_err(|error| format!("the CPU time of a worker: {error}"))?;
        Ok(Sample { connections: self.connections.load(Relaxed), cpu: cpu.into() })
    }
}

/// As `pthread_getcpuclockid` makes it: the thread's number, inverted, above three bits that say "CPU time of a thread,
/// by the scheduler's count".
fn clock_of_this_thread() -> ClockId {
    const SCHEDULED_TIME_OF_A_THREAD: i32 = 0b110;
    ClockId::from_raw((!gettid().as_raw_nonzero().get() << 3) | SCHEDULED_TIME_OF_A_THREAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_has_its_own_connections_and_cpu_time() {
        let other = std::thread::spawn(|| {
            enter();
            let open = Open::here();
            let before = sample().expect("a sample")[0];
            super::super::super::steps::compute(1_000_000);
            (open, before, sample().expect("a sample")[0])
        });
        let (open, before, after) = other.join().expect("it does not panic");
        assert_eq!(after.connections, 1);
        assert!(after.cpu > before.cpu);
        assert!(!wait_for_ends(Duration::ZERO), "one is open");
        drop(open);
        assert!(wait_for_ends(Duration::ZERO));
    }
}
