//! How evenly a server's workers are loaded: the busiest one's part, in fair shares.

use super::workers::Sample;
use crate::measure::{Metric, check, metric};

const UNIT: &str = "of fair share";

/// The mean over the draws.
#[derive(Debug)]
pub(super) struct Balance {
    workers: usize,
    keeps_connections: bool,
    draws: usize,
    connections: f64,
    busy: f64,
}

impl Balance {
    pub(super) fn new(workers: usize, keeps_connections: bool) -> Self {
        Balance { workers, keeps_connections, draws: 0, connections: 0.0, busy: 0.0 }
    }

    /// What the workers were like before and after a draw's recorded part, all its connections open.
    pub(super) fn add(
        &mut self,
        before: &[Sample],
        after: &[Sample],
        connections: usize,
    ) -> Result<(), String> {
        check("the workers that have said so", after.len(), self.workers)?;
        if self.keeps_connections {
            let open = after.iter().map(|worker| worker.connections);
            check("the connections of all workers", open.clone().sum(), connections)?;
            self.connections += busiest(open.map(|open| open as f64));
        }
        let cpu = before.iter().zip(after).map(|(before, after)| (after.cpu - before.cpu).as_secs_f64());
        self.busy += busiest(cpu);
        self.draws += 1;
        Ok(())
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        let mean = |sum: f64| sum / self.draws as f64;
        let connections = self.keeps_connections.then(|| metric("connections", mean(self.connections), UNIT));
        connections.into_iter().chain([metric("busy", mean(self.busy), UNIT)]).collect()
    }
}

/// The largest part, by the mean of all.
fn busiest(parts: impl ExactSizeIterator<Item = f64> + Clone) -> f64 {
    let mean = parts.clone().sum::<f64>() / parts.len() as f64;
    parts.fold(0.0, f64::max) / mean
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn samples(of: [(usize, u64); 2]) -> [Sample; 2] {
        of.map(|(connections, millis)| Sample { connections, cpu: Duration::from_millis(millis) })
    }

    #[test]
    fn the_busiest_is_told_in_fair_shares_and_the_draws_by_their_mean() {
        let mut balance = Balance::new(2, true);
        balance.add(&samples([(4, 10), (4, 10)]), &samples([(4, 20), (4, 20)]), 8).expect("all are there");
        balance.add(&samples([(8, 20), (0, 20)]), &samples([(8, 30), (0, 20)]), 8).expect("all are there");
        let values: Vec<f64> = balance.metrics().iter().map(|metric| metric.value).collect();
        assert_eq!(values, [1.5, 1.5]);
    }

    #[test]
    fn a_connection_too_few_is_an_error() {
        let mut balance = Balance::new(2, true);
        let samples = samples([(4, 10), (3, 10)]);
        balance.add(&samples, &samples, 8).expect_err("one is missing");
    }
}
