//! Jobs from a stream of NATS JetStream, on files: messages that wait there, consumed by handlers that do nothing or compute
//! for a millisecond; and one message at a time, from its publishing to its handler.
//!
//! Each measurement has a server of its own, new and on an empty folder, which shares the machine with the contender.

#[allow(dead_code, missing_docs, unreachable_pub)] // As the tests of millpond-nats have it.
#[path = "../../../../crates/millpond-nats/tests/common/port.rs"]
mod port;
#[allow(dead_code, missing_docs, unreachable_pub)]
#[path = "../../../../crates/millpond-nats/tests/common/server.rs"]
mod server;
mod stream;
mod work;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::Workload;
use super::steps::{compute, steps_in};
use crate::affinity::spawn_bound;
use crate::latency::Latencies;
use crate::measure::{Case, Failure, Metric, Outcome, Size, check, metric, per_job};
use crate::stopwatch::{Lap, Stopwatch};
use server::Server;
pub(crate) use stream::{CONSUMER, STREAM, consumer_config, failed};
use stream::{Stream, server_cpu};
pub(crate) use work::Work;
use work::{Begins, Kind};

pub(crate) const EMPTY: Workload = Workload {
    workers: &[2],
    limit_seconds: |_| 60,
    ..Workload::new(
        "jetstream",
        "200,000 messages of 32 bytes from a stream on file, handled by nothing and acked",
    )
};

pub(crate) const MILLISECOND: Workload = Workload {
    workers: &[2],
    limit_seconds: |_| 60,
    ..Workload::new("jetstream-1ms", "2,000 messages a worker, whose handlers compute for 1 ms")
};

pub(crate) const LATENCY: Workload = Workload {
    workers: &[2],
    limit_seconds: |_| 60,
    ..Workload::new(
        "jetstream-latency",
        "one message at a time: from its publishing to the start of its handler",
    )
};

/// One part in so many of the messages is published and consumed first, unmeasured.
const WARM_UP_SHARE: u64 = 10;

/// What a handler of [`MILLISECOND`] computes takes so long on an undisturbed CPU.
const HANDLER: Duration = Duration::from_millis(1);

/// A way to consume a stream.
pub(crate) trait Consumer: Sized + Send {
    /// Connects, and starts the threads that will handle.
    fn start(server: &str, workers: usize) -> Result<Self, String>;

    /// Hands each message of [`STREAM`] to `work` once, by the durable consumer [`CONSUMER`], and acks it after that. Returns
    /// when it has done so with as many as there are, and the acks are written to the connection: the time of that.
    fn consume(&mut self, work: &Arc<Work>) -> Result<Instant, String>;
}

pub(crate) fn empty<C: Consumer>(case: Case) -> Outcome {
    let messages = case.size.of(200_000, 20_000, 100);
    let mut setting = Setting::<C>::new(case.workers)?;
    setting.consume(messages / WARM_UP_SHARE, Kind::Empty)?;
    let measured = setting.consume(messages, Kind::Empty)?;
    let mut metrics = per_job(measured.lap, messages);
    metrics.push(measured.server_cpu(messages));
    Ok(metrics)
}

/// The bound is the CPU time that plain threads, bound as the workers are, take for the same computing, half of it before and
/// half after, shared out over the workers. Not their wall time: where others want the CPUs too, threads that never sleep get
/// less of them than those that do.
pub(crate) fn millisecond<C: Consumer>(case: Case) -> Outcome {
    let jobs = case.workers as u64 * case.size.of(2_000, 500, 10);
    let mut setting = Setting::<C>::new(case.workers)?;
    setting.consume((jobs / WARM_UP_SHARE).max(1), Kind::Empty)?;
    let steps = if case.size == Size::Smoke { 100 } else { steps_in(HANDLER) };
    let before = without_queue(case.workers, jobs / 2, steps);
    let measured = setting.consume(jobs, Kind::Computes(steps))?;
    let after = without_queue(case.workers, jobs / 2, steps);
    let (wall, computing) = (measured.lap.wall.as_secs_f64(), (before + after).as_secs_f64());
    let bound = computing / case.workers as f64;
    Ok(vec![
        metric("wall", wall / bound, "of bound"),
        metric("cpu", measured.lap.cpu.as_secs_f64() / computing, "of bound"),
        metric("handled", jobs as f64 / wall, "jobs/s"),
        metric("bound", jobs as f64 / bound, "jobs/s"),
        measured.server_cpu(jobs),
    ])
}

/// The CPU time that plain threads take to compute so many jobs, shared out evenly.
fn without_queue(workers: usize, jobs: u64, steps: u64) -> Duration {
    let share = jobs / workers as u64;
    let stopwatch = Stopwatch::start();
    for thread in spawn_bound(workers, move |_| {
        for _ in 0..share {
            compute(steps);
        }
    }) {
        thread.join().expect("it does not panic");
    }
    stopwatch.stop().cpu
}

/// The consumer waits for the message, with its pull request at the server.
pub(crate) fn latency<C: Consumer>(case: Case) -> Outcome {
    let rounds = case.size.of(10_000, 2_000, 50);
    let mut setting = Setting::<C>::new(case.workers)?;
    setting.one_by_one(rounds / WARM_UP_SHARE)?;
    let stopwatch = Stopwatch::start();
    let latencies = setting.one_by_one(rounds)?;
    let lap = stopwatch.stop();
    check("the rounds", latencies.count(), rounds)?;
    let mut metrics = latencies.metrics();
    metrics.push(metric("cpu", lap.cpu.as_secs_f64() * 1e6 / rounds as f64, "us/round"));
    Ok(metrics)
}

/// A server, a stream on it, and a contender that is connected.
struct Setting<C> {
    consumer: C,
    stream: Stream,
    server: Server,
}

/// What one stretch took.
struct Measured {
    lap: Lap,
    server_cpu: Duration,
}

impl<C: Consumer> Setting<C> {
    fn new(workers: usize) -> Result<Self, Failure> {
        server::program().map_err(Failure::Unable)?;
        let server = Server::start();
        let stream = Stream::create(&server.url())?;
        Ok(Setting { consumer: C::start(&server.url(), workers)?, stream, server })
    }

    /// Publishes so many messages, and then has them consumed.
    fn consume(&mut self, messages: u64, kind: Kind) -> Result<Measured, String> {
        self.stream.publish(messages)?;
        let work = Work::new(messages, kind);
        let pid = self.server.pid();
        let (server_before, stopwatch) = (server_cpu(pid)?, Stopwatch::start());
        let end = self.consumer.consume(&work)?;
        // What comes before is a start: requests to the server, which no message waits for in the long run.
        let lap = Lap { wall: end - work.begin()?, ..stopwatch.stop_at(end) };
        let server_cpu = server_cpu(pid)?.saturating_sub(server_before);
        work.check()?;
        self.stream.wait_until_empty()?;
        Ok(Measured { lap, server_cpu })
    }

    fn one_by_one(&mut self, rounds: u64) -> Result<Latencies, String> {
        let (begins, begun) = Begins::channel();
        let work = Work::new(rounds, Kind::Tells(begins));
        let consumer = &mut self.consumer;
        let latencies = thread::scope(|scope| {
            let consumed = scope.spawn(|| consumer.consume(&work));
            let mut latencies = Latencies::new();
            for round in 0..rounds {
                let sent = Instant::now();
                self.stream.publish_one(round)?;
                // Ended by the handler's start, or by the runner's limit for a message that is lost.
                let begun = begun.recv().map_err(|_| "the handlers are gone")?;
                latencies.record(begun - sent);
            }
            consumed.join().expect("it does not panic").map(|_| latencies)
        })?;
        work.check()?;
        self.stream.wait_until_empty()?;
        Ok(latencies)
    }
}

impl Measured {
    fn server_cpu(&self, messages: u64) -> Metric {
        metric("server cpu", self.server_cpu.as_nanos() as f64 / messages as f64, "ns/job")
    }
}
