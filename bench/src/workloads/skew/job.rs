//! The jobs: a Pareto distribution, cut off so that the longest job is a small part of the whole, in an order drawn once
//! and for all.

use std::time::Duration;

use super::super::random::draw;
use crate::measure::Case;

/// The same order in every run.
const SEED: u64 = 0x736b_6577_6564_2121;

/// So heavy a tail that one job in a hundred has a third of the work, and half of the jobs are below twice the shortest.
const ALPHA: f64 = 1.1;

/// About 20 us: long beside the cost of sending a job.
const SHORTEST_ITERATIONS: f64 = 14_000.0;

/// Not below the step of monoio's and tokio's timers.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// What jobs do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Cpu,
    /// Wait on their worker's timer, and then compute.
    Io,
}

/// A wait, and a computation of a fixed number of steps. Not one of a fixed time: two that share a CPU would both seem to
/// be done in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job {
    pub(super) wait: Duration,
    pub(crate) iterations: u64,
    seed: u64,
}

impl Job {
    /// The answer. Never inlined, so that all contenders run the same instructions at the same address.
    #[inline(never)]
    pub(crate) fn compute(&self) -> u64 {
        let mut state = self.seed;
        for _ in 0..self.iterations {
            // Each step needs the last one's result, and nothing but registers.
            state = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        }
        state
    }

    pub(super) fn without_computation(&self) -> Self {
        Job { iterations: 0, ..*self }
    }
}

/// About 300 ms of work for each worker (`--quick`: 90), of which the longest job is 6 %.
pub(super) fn jobs(kind: Kind, case: Case) -> Vec<Job> {
    let count = case.workers * case.size.of(2_700, 900, 20);
    // Of the cut to the shortest.
    let (longest_job, longest_wait) = case.size.of((1_000.0, 30.0), (330.0, 10.0), (20.0, 3.0));
    let mut state = SEED;
    let lengths = shuffled(pareto(count, longest_job), &mut state);
    let waits = shuffled(pareto(count, longest_wait), &mut state);
    let jobs = lengths.into_iter().zip(waits).map(|(length, wait)| Job {
        wait: match kind {
            Kind::Cpu => Duration::ZERO,
            Kind::Io => SHORTEST_WAIT.mul_f64(wait),
        },
        iterations: (length * SHORTEST_ITERATIONS) as u64,
        seed: draw(&mut state),
    });
    jobs.collect()
}

/// The distribution's quantiles rather than draws from it: with so heavy a tail a few draws would decide the whole. From
/// 1 to nearly `longest`.
fn pareto(count: usize, longest: f64) -> Vec<f64> {
    let below_the_cut = 1.0 - longest.powf(-ALPHA);
    let quantile = |index| (index as f64 + 0.5) / count as f64;
    (0..count).map(|index| (1.0 - quantile(index) * below_the_cut).powf(-1.0 / ALPHA)).collect()
}

/// By Fisher and Yates.
fn shuffled(mut values: Vec<f64>, state: &mut u64) -> Vec<f64> {
    for index in (1..values.len()).rev() {
        values.swap(index, (draw(state) % (index as u64 + 1)) as usize);
    }
    values
}
