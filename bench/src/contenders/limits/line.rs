//! One cache line that goes from a core to another and back: the least that an answer from another core costs.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Release},
};
use std::thread;
use std::time::Instant;

use crate::affinity::{cpu_of_worker, pin};
use crate::latency::Latencies;
use crate::measure::{Case, Failure, Outcome, metric};
use crate::stopwatch::Stopwatch;
use crate::workloads::round_trip::{Rounds, percentiles};

/// Odd when the driver has written it last, even when the answerer has. A line of its own, and its neighbour, which many
/// CPUs fetch along with it.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Line(AtomicUsize);

impl Line {
    /// Waits awake until the other thread has written `value`.
    fn wait_for(&self, value: usize) {
        while self.0.load(Acquire) != value {
            std::hint::spin_loop();
        }
    }
}

pub(super) fn exchange(case: Case) -> Outcome {
    let rounds = Rounds::of(case)?;
    let (Some(answerer_cpu), Some(driver_cpu)) = (cpu_of_worker(0), cpu_of_worker(1)) else {
        return Err(Failure::Unable("there is one CPU: no line goes from core to core".to_owned()));
    };
    let line = Arc::<Line>::default();
    let (theirs, all) = (Arc::clone(&line), rounds.warm_up() + rounds.count);
    let answerer = thread::spawn(move || {
        pin(Some(answerer_cpu));
        for round in 0..all {
            theirs.wait_for(2 * round + 1);
            theirs.0.store(2 * round + 2, Release);
        }
    });
    pin(Some(driver_cpu));
    let ask = |round: usize| {
        line.0.store(2 * round + 1, Release);
        line.wait_for(2 * round + 2);
    };
    (0..rounds.warm_up()).for_each(ask);
    let mut latencies = Latencies::new();
    let stopwatch = Stopwatch::start();
    for round in rounds.warm_up()..all {
        rounds.pause();
        let sent = Instant::now();
        ask(round);
        latencies.record(sent.elapsed());
    }
    let mut metrics = percentiles(&latencies, stopwatch.stop());
    answerer.join().expect("the answerer ends");
    let one_way_ns = metrics[0].value * 1e3 / 2.0;
    metrics.push(metric("one way", one_way_ns, "ns"));
    Ok(metrics)
}
