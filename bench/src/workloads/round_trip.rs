//! One job at a time on an idle pool: from the call that sends it to its result in the driver's hands.

use std::time::{Duration, Instant};

use super::Workload;
use crate::measure::{Case, Metric, Outcome, check, metric, micros};
use crate::pool::Pool;
use crate::stopwatch::{Lap, Stopwatch};

pub(crate) const WORKLOAD: Workload = Workload {
    variants: &["gap=0", "gap=200us"],
    ..Workload::new("round-trip", "one job at a time on an idle pool, 20,000 rounds (5,000 with a gap)")
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
        let mut times = Vec::with_capacity(rounds.count);
        let stopwatch = Stopwatch::start();
        for round in 0..rounds.count {
            rounds.pause();
            let sent = Instant::now();
            // Ended by the job's end.
            let answer = P::join(pool.spawn(move || round ^ 1)).await;
            times.push(sent.elapsed());
            check("the answer", answer, round ^ 1)?;
        }
        Ok(percentiles(times, stopwatch.stop()))
    })
}

impl Rounds {
    pub(crate) fn of(case: Case) -> Result<Self, String> {
        match case.variant {
            "gap=0" => Ok(Rounds { count: case.size.of(20_000, 5_000, 100), gap: Duration::ZERO }),
            "gap=200us" => Ok(Rounds { count: case.size.of(5_000, 2_000, 100), gap: GAP }),
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

pub(crate) fn percentiles(mut times: Vec<Duration>, lap: Lap) -> Vec<Metric> {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    vec![
        micros("p50", at(0.5)),
        micros("p99", at(0.99)),
        micros("p99.9", at(0.999)),
        metric("cpu", lap.cpu.as_secs_f64() * 1e6 / times.len() as f64, "us/round"),
    ]
}
