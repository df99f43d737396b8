//! One job at a time on an idle pool: from the call that sends it to its result in the driver's hands.

use std::time::{Duration, Instant};

use super::Workload;
use crate::latency::Latencies;
use crate::measure::{Case, Metric, Outcome, check, metric};
use crate::pool::Pool;
use crate::stopwatch::{Lap, Stopwatch};

pub(crate) const WORKLOAD: Workload = Workload {
    variants: &["gap=0", "gap=200us"],
    ..Workload::new("round-trip", "one job at a time on an idle pool, 20,000 rounds (2,000 with a gap)")
};

const WARM_UP_ROUNDS: usize = 200;

/// Long enough for any worker to have gone to sleep again.
const GAP: Duration = Duration::from_micros(200);

/// Rounds to do, and the pause between two of them. The driver spends it awake, as one that has other work would:
/// what sleeps is the pool.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    pub(crate) count: usize,
    gap: Duration,
}

pub(crate) fn run<P: Pool>(case: Case) -> Outcome {
    let rounds = Rounds::of(case)?;
    P::drive(case.workers, move |pool: P| async move {
        for _ in 0..rounds.warm_up() {
            P::join(pool.spawn(|| ())).await;
        }
        let mut latencies = Latencies::new();
        let stopwatch = Stopwatch::start();
        for round in 0..rounds.count {
            rounds.pause();
            let sent = Instant::now();
            // Ended by the job's end.
            let answer = P::join(pool.spawn(move || round ^ 1)).await;
            latencies.record(sent.elapsed());
            check("the answer", answer, round ^ 1)?;
        }
        Ok(percentiles(&latencies, stopwatch.stop()))
    })
}

impl Rounds {
    pub(crate) fn of(case: Case) -> Result<Self, String> {
        match case.variant {
            "gap=0" => Ok(Rounds { count: case.size.of(20_000, 5_000, 100), gap: Duration::ZERO }),
            "gap=200us" => Ok(Rounds { count: case.size.of(2_000, 1_000, 100), gap: GAP }),
            other => Err(format!("no variant is called `{other}`")),
        }
    }

    pub(crate) fn warm_up(self) -> usize {
        WARM_UP_ROUNDS.min(self.count)
    }

    pub(crate) fn pause(self) {
        let started = Instant::now();
        while started.elapsed() < self.gap {
            std::hint::spin_loop();
        }
    }
}

pub(crate) fn percentiles(latencies: &Latencies, lap: Lap) -> Vec<Metric> {
    let mut metrics = latencies.metrics();
    let cpu = lap.cpu.as_secs_f64() * 1e6 / latencies.count() as f64;
    metrics.push(metric("cpu", cpu, "us/round"));
    metrics
}
