//! Numbers that look random and are the same for the same seed: SplitMix64, and the two distributions that jobs have.

use crate::settings::JobTime;

/// The exponent of the heavy tail, as in the workload `skew` of the bench.
const PARETO_ALPHA: f64 = 1.1;
/// The longest job by the shortest, as there: 20 us to 17 ms.
const PARETO_RANGE: f64 = 850.0;

/// One stream of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random { state: seed }
    }

    /// A stream of its own for each of several that share a seed.
    pub(crate) fn fork(seed: u64, which: u64) -> Self {
        Random::new(mixed(seed ^ mixed(which.wrapping_add(1))))
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.state)
    }

    /// From 0 up to and without 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        // As many bits as a float holds exactly.
        (self.draw() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The time to the next of things that happen independently of each other.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -(1.0 - self.uniform()).ln() * mean
    }

    /// How long one job computes, in nanoseconds.
    pub(crate) fn job_ns(&mut self, time: JobTime) -> u64 {
        let ns = match time {
            JobTime::Fixed { ns } => ns,
            JobTime::Exponential { mean_ns } => self.exponential(mean_ns),
            JobTime::Pareto { mean_ns } => self.pareto(mean_ns),
        };
        ns as u64
    }

    /// Pareto-distributed between two bounds, by the inverse of its distribution.
    fn pareto(&mut self, mean: f64) -> f64 {
        let below = 1.0 - PARETO_RANGE.powf(-PARETO_ALPHA);
        let shortest = mean / pareto_mean_by_shortest();
        shortest * (1.0 - self.uniform() * below).powf(-1.0 / PARETO_ALPHA)
    }
}

fn pareto_mean_by_shortest() -> f64 {
    let below = 1.0 - PARETO_RANGE.powf(-PARETO_ALPHA);
    PARETO_ALPHA / (PARETO_ALPHA - 1.0) * (1.0 - PARETO_RANGE.powf(1.0 - PARETO_ALPHA)) / below
}

/// The finish of SplitMix64: no two inputs give the same, and nothing of their order is left.
pub(crate) fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_distribution_has_the_mean_that_it_is_asked_for() {
        const DRAWS: usize = 1_000_000;
        let mut random = Random::new(1);
        for time in [
            JobTime::Fixed { ns: 1e6 },
            JobTime::Exponential { mean_ns: 1e6 },
            JobTime::Pareto { mean_ns: 1e6 },
        ] {
            let mean = (0..DRAWS).map(|_| random.job_ns(time) as f64).sum::<f64>() / DRAWS as f64;
            // The tail of the third is heavy: a million draws tell its mean to about a percent.
            assert!((mean / 1e6 - 1.0).abs() < 0.02, "{time:?}: {mean}");
        }
    }
}
