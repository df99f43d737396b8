//! What is counted while a simulation runs, and what comes of it.

use crate::histogram::Histogram;

/// Counts of the span that counts, after the warm-up.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    /// From the publisher's call to a start. A redelivered job has a second one.
    pub(crate) wait: Histogram,
    /// From the store to the ack's removal, and the integral of how many were between the two: Little's law.
    pub(crate) stay: Histogram,
    pub(crate) present_ns: u128,
    pub(crate) published: u64,
    pub(crate) acked: u64,
    pub(crate) started: u64,
    pub(crate) redelivered: u64,
    /// Done a second time, as the ack of the first was lost.
    pub(crate) repeated: u64,
    pub(crate) crashes: u64,
    pub(crate) pulls: u64,
    pub(crate) refused: u64,
    /// Time in which the server was at something.
    pub(crate) server_ns: u64,
    pub(crate) most_pending: usize,
    pub(crate) most_waiting: usize,
    /// Published, or due to be, and not taken out yet: at the beginning and at the end.
    pub(crate) backlog: [u64; 2],
    pub(crate) span_ns: u64,
}

impl Tally {
    pub(crate) fn new(span_ns: u64) -> Self {
        Tally {
            wait: Histogram::new(),
            stay: Histogram::new(),
            present_ns: 0,
            published: 0,
            acked: 0,
            started: 0,
            redelivered: 0,
            repeated: 0,
            crashes: 0,
            pulls: 0,
            refused: 0,
            server_ns: 0,
            most_pending: 0,
            most_waiting: 0,
            backlog: [0; 2],
            span_ns,
        }
    }

    /// That of another stream, which ran at the same time.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.wait.add(&other.wait);
        self.stay.add(&other.stay);
        self.present_ns += other.present_ns;
        self.published += other.published;
        self.acked += other.acked;
        self.started += other.started;
        self.redelivered += other.redelivered;
        self.repeated += other.repeated;
        self.crashes += other.crashes;
        self.pulls += other.pulls;
        self.refused += other.refused;
        self.server_ns = self.server_ns.max(other.server_ns);
        self.most_pending = self.most_pending.max(other.most_pending);
        self.most_waiting = self.most_waiting.max(other.most_waiting);
        for (mine, theirs) in self.backlog.iter_mut().zip(other.backlog) {
            *mine += theirs;
        }
    }

    fn span_s(&self) -> f64 {
        self.span_ns as f64 / 1e9
    }

    pub(crate) fn jobs_per_s(&self) -> f64 {
        self.acked as f64 / self.span_s()
    }

    /// The share of its time in which the busiest stream's server was at something.
    pub(crate) fn utilisation(&self) -> f64 {
        self.server_ns as f64 / self.span_ns as f64
    }

    /// Of a million jobs, how many were delivered more than once.
    pub(crate) fn redelivered_per_million(&self) -> f64 {
        self.redelivered as f64 * 1e6 / (self.acked as f64).max(1.0)
    }

    /// What more is left behind in each second.
    pub(crate) fn growth_per_s(&self) -> f64 {
        (self.backlog[1] as f64 - self.backlog[0] as f64) / self.span_s()
    }

    pub(crate) fn refused_per_s(&self) -> f64 {
        self.refused as f64 / self.span_s()
    }

    /// Mean number of jobs between store and removal.
    #[cfg(test)]
    pub(crate) fn present(&self) -> f64 {
        self.present_ns as f64 / self.span_ns as f64
    }
}
