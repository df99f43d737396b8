//! Latency under a steady load. Jobs fall due by a fixed schedule, whatever the pool does, and each latency counts from
//! when its job was *due*: where a closed loop would wait with the next job until the pool has caught up, and so leave
//! out just the latencies that matter, this one counts them all.

use std::cell::OnceCell;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::thread::{clock_nanosleep_absolute, set_current_timer_slack};
use rustix::time::{ClockId, Timespec, clock_gettime};

use super::Workload;
use super::counted::{all_since, count, counted};
use super::job::Tally;
use super::random::arrivals;
use super::steps::{compute, steps_in};
use crate::channel::{Channel, Host};
use crate::latency::Latencies;
use crate::measure::{Case, Outcome, check, metric, micros};
use crate::pool::Pool;
use crate::stopwatch::Stopwatch;

pub(crate) const WORKLOAD: Workload = Workload {
    // A second and worker: 20, 50 and 80 percent of what a worker can do.
    variants: &["rate=20k", "rate=50k", "rate=80k"],
    ..Workload::new(
        "open-loop",
        "jobs of 10 us that fall due at random, for 0.3 s: latency from the due time",
    )
};

/// What each job computes for: long beside what a pool costs, and short beside a time slice of the kernel.
const JOB: Duration = Duration::from_micros(10);

/// The schedule's first part, not recorded: one in so many.
const WARM_UP_SHARE: u32 = 10;

/// The same schedule in every run.
const SEED: u64 = 0x6d69_6c6c_706f_6e64;

/// What is due when.
#[derive(Debug)]
struct Schedule {
    /// From the start on, in order: a Poisson process, as of many senders who do not know of each other.
    due: Vec<Duration>,
    /// Jobs due before are not recorded.
    warm_up: Duration,
    steps: u64,
}

/// A job on its way.
#[derive(Clone, Copy, Debug)]
struct Job {
    index: u64,
    due: Instant,
    steps: u64,
    recorded: bool,
}

/// What the driver can tell once it has sent everything.
#[derive(Debug)]
struct Sent {
    jobs: u64,
    stopwatch: Stopwatch,
    /// From the due time to the send: what the driver's own sleep, its wait for a CPU, and the sends before took.
    lateness: Latencies,
}

pub(crate) fn pool<P: Pool>(case: Case) -> Outcome {
    let schedule = Schedule::of(case)?;
    P::drive(case.workers, move |pool: P| async move {
        let sent = schedule.send(|job| pool.detach(move || job.run()));
        all_since(&pool, Tally::default(), sent.jobs).await;
        sent.outcome()
    })
}

pub(crate) fn channel<C: Channel>(case: Case) -> Outcome {
    let schedule = Schedule::of(case)?;
    let (sender, receiver) = C::open::<Job>(None);
    let work = move |_| C::receive(receiver.clone(), Job::run);
    // The sender ends with its closure, and with it the loops: all that was received is counted then.
    let (sent, _) = C::Host::run(case.workers, work, move || schedule.send(|job| C::send(&sender, job)));
    sent.outcome()
}

impl Schedule {
    fn of(case: Case) -> Result<Self, String> {
        let of_a_worker = match case.variant {
            "rate=20k" => 20_000.0,
            "rate=50k" => 50_000.0,
            "rate=80k" => 80_000.0,
            other => return Err(format!("no variant is called `{other}`")),
        };
        let recorded = Duration::from_millis(case.size.of(300, 100, 5));
        let warm_up = recorded / WARM_UP_SHARE;
        let due = arrivals(SEED, of_a_worker * case.workers as f64, warm_up + recorded);
        Ok(Schedule { due, warm_up, steps: steps_in(JOB) })
    }

    /// Sends each job when it is due, or as soon after as the driver gets to it. In between the driver sleeps: one that
    /// spins would take a CPU from the workers.
    fn send(&self, mut send: impl FnMut(Job)) -> Sent {
        // The kernel may else be 50 us late, to save wake-ups.
        let _ = set_current_timer_slack(NonZeroU64::new(1));
        let mut lateness = Latencies::new();
        let stopwatch = Stopwatch::start();
        let start = Instant::now();
        // After the other, so that no sleep ends before its job is due.
        let start_of_clock = clock();
        for (index, &offset) in self.due.iter().enumerate() {
            let due = start + offset;
            if Instant::now() < due {
                sleep_until(start_of_clock + offset);
            }
            let recorded = offset >= self.warm_up;
            if recorded {
                lateness.record(due.elapsed());
            }
            send(Job { index: index as u64, due, steps: self.steps, recorded });
        }
        Sent { jobs: self.due.len() as u64, stopwatch, lateness }
    }
}

impl Job {
    fn run(self) {
        compute(self.steps);
        record(self.recorded.then(|| self.due.elapsed()));
        count(self.index as i64);
    }
}

impl Sent {
    /// To be called when all jobs have run.
    fn outcome(self) -> Outcome {
        let lap = self.stopwatch.stop();
        check("the jobs that ran", counted(), Tally::of_indices(self.jobs))?;
        let latencies = recorded();
        check("the latencies recorded", latencies.count(), self.lateness.count())?;
        let mut metrics = latencies.metrics();
        metrics.push(micros("driver p99", self.lateness.percentile(99.0)));
        metrics.push(metric("cpu", lap.cpu.as_secs_f64() * 1e6 / self.jobs as f64, "us/job"));
        Ok(metrics)
    }
}

fn clock() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// By the clock of [`clock`].
fn sleep_until(time: Duration) {
    let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
    // Ended by the kernel's timer; a signal may end it too soon.
    while clock_nanosleep_absolute(ClockId::Monotonic, &time) == Err(Errno::INTR) {}
}

/// One thread's latencies. Locked by that thread alone until all jobs have run; padded, so without sharing a line.
#[derive(Debug)]
#[repr(align(128))]
struct Slot(Mutex<Latencies>);

static SLOTS: Mutex<Vec<Arc<Slot>>> = Mutex::new(Vec::new());

thread_local! {
    static SLOT: OnceCell<Arc<Slot>> = const { OnceCell::new() };
}

/// A job that is not to be recorded still makes its thread's slot, so that no other has to.
fn record(latency: Option<Duration>) {
    SLOT.with(|slot| {
        let slot = slot.get_or_init(|| {
            let slot = Arc::new(Slot(Mutex::new(Latencies::new())));
            SLOTS.lock().expect("nothing panics under the lock").push(Arc::clone(&slot));
            slot
        });
        if let Some(latency) = latency {
            slot.0.lock().expect("nothing panics under the lock").record(latency);
        }
    });
}

/// Those of all threads.
fn recorded() -> Latencies {
    let mut latencies = Latencies::new();
    for slot in SLOTS.lock().expect("nothing panics under the lock").iter() {
        latencies.add(&slot.0.lock().expect("nothing panics under the lock"));
    }
    latencies
}
