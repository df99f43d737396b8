//! Jobs that somebody waits for, beside a million that can wait: how long they wait for their start, and what is left for the
//! others.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::set_current_timer_slack;

use super::Workload;
use super::steps::{compute, steps_in};
use crate::latency::Latencies;
use crate::measure::{Case, Metric, Outcome, check, metric, micros};
use crate::pool::Pool;
use crate::stopwatch::Stopwatch;

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[2],
    variants: &["interactive=1ms", "interactive=as-many"],
    ..Workload::new(
        "classes",
        "1 M bulk jobs of 2 us, and interactive ones beside them: their wait for a start",
    )
};

/// What a bulk job computes for: so many of them take a second on two workers.
const JOB: Duration = Duration::from_micros(2);

const EVERY: Duration = Duration::from_millis(1);

/// A pool that can be told which jobs can wait.
pub(crate) trait Classes: Pool {
    /// Sends one of those. A pool without classes sends it as any other.
    fn detach_bulk<F: FnOnce() + Send + 'static>(&self, job: F) {
        self.detach(job);
    }
}

/// What all jobs write to.
struct Told {
    steps: u64,
    jobs: u64,
    bulk: AtomicU64,
    interactive: AtomicU64,
    /// How many bulk jobs had started when the last interactive one did.
    bulk_beside: AtomicU64,
    /// From the send of an interactive job to its start.
    waits: Mutex<Latencies>,
}

pub(crate) fn run<P: Classes>(case: Case) -> Outcome {
    let told = Arc::new(Told {
        steps: steps_in(JOB),
        jobs: case.size.of(1_000_000, 200_000, 500),
        bulk: AtomicU64::new(0),
        interactive: AtomicU64::new(0),
        bulk_beside: AtomicU64::new(0),
        waits: Mutex::new(Latencies::new()),
    });
    let send = match case.variant {
        "interactive=1ms" => one_a_millisecond::<P>,
        "interactive=as-many" => as_many::<P>,
        other => return Err(format!("no variant is called `{other}`").into()),
    };
    P::drive(case.workers, move |pool: P| async move {
        let stopwatch = Stopwatch::start();
        let interactive = send(&pool, &told);
        told.wait_for(interactive);
        let lap = stopwatch.stop();
        check("the bulk jobs", told.bulk.load(Relaxed), told.jobs)?;
        let mut metrics = told.metrics(interactive)?;
        metrics.push(metric("wall", lap.wall.as_secs_f64() * 1e6 / told.jobs as f64, "us/bulk job"));
        metrics.push(metric("cpu", lap.cpu.as_secs_f64() * 1e6 / told.jobs as f64, "us/bulk job"));
        Ok(metrics)
    })
}

/// All bulk jobs at once, and a thread that sends an interactive one every millisecond until they have run.
fn one_a_millisecond<P: Classes>(pool: &P, told: &Arc<Told>) -> u64 {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            // The kernel may else be 50 us late, to save wake-ups.
            let _ = set_current_timer_slack(NonZeroU64::new(1));
            let (mut due, mut sent) = (Instant::now(), 0);
            while !over.load(Relaxed) {
                due += EVERY;
                // Ended by the kernel's timer.
                thread::sleep(due.saturating_duration_since(Instant::now()));
                told.send_interactive(pool);
                sent += 1;
            }
            sent
        });
        for _ in 0..told.jobs {
            told.send_bulk(pool);
        }
        told.wait_for_bulk();
        over.store(true, Relaxed);
        // Ended by the look after its next job.
        beside.join().expect("the thread beside does not panic")
    })
}

/// One of each, in turn: more of both than the workers can run.
fn as_many<P: Classes>(pool: &P, told: &Arc<Told>) -> u64 {
    for _ in 0..told.jobs {
        told.send_bulk(pool);
        told.send_interactive(pool);
    }
    told.wait_for_bulk();
    told.jobs
}

impl Told {
    fn send_bulk<P: Classes>(self: &Arc<Self>, pool: &P) {
        let told = Arc::clone(self);
        pool.detach_bulk(move || {
            compute(told.steps);
            told.bulk.fetch_add(1, Relaxed);
        });
    }

    fn send_interactive<P: Classes>(self: &Arc<Self>, pool: &P) {
        let (told, sent) = (Arc::clone(self), Instant::now());
        pool.detach(move || {
            let waited = sent.elapsed();
            told.waits.lock().expect("nothing panics under the lock").record(waited);
            compute(told.steps);
            // The last one's word stays.
            told.bulk_beside.fetch_max(told.bulk.load(Relaxed), Relaxed);
            told.interactive.fetch_add(1, Relaxed);
        });
    }

    /// Looks again and again, asleep in between: nothing of the driver's is on the jobs' way.
    fn wait_for_bulk(&self) {
        while self.bulk.load(Relaxed) < self.jobs {
            thread::sleep(EVERY);
        }
    }

    fn wait_for(&self, interactive: u64) {
        while self.interactive.load(Relaxed) < interactive {
            thread::sleep(EVERY);
        }
    }

    fn metrics(&self, interactive: u64) -> Result<Vec<Metric>, String> {
        let waits = self.waits.lock().expect("nothing panics under the lock");
        check("the waits recorded", waits.count(), interactive)?;
        let beside = self.bulk_beside.load(Relaxed) as f64;
        Ok(vec![
            micros("wait p99", waits.percentile(99.0)),
            micros("wait p50", waits.percentile(50.0)),
            micros("wait max", waits.percentile(100.0)),
            metric("bulk", 100.0 * beside / (beside + interactive as f64), "% of starts"),
        ])
    }
}
