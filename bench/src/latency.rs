//! Latencies: recorded one by one, and told as percentiles.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::measure::{Metric, micros};

/// Three digits of a percentile are more than two runs have in common.
const SIGNIFICANT_DIGITS: u8 = 3;

/// Longer than any measurement may take. What is longer still counts as this.
const LONGEST: Duration = Duration::from_secs(300);

/// The tail by which pools differ, in percent.
const PERCENTILES: [f64; 5] = [50.0, 90.0, 99.0, 99.9, 99.99];

/// Of one thread, or of many when added up. In nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    /// All memory at once: no recording allocates.
    pub(crate) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST.as_nanos() as u64, SIGNIFICANT_DIGITS);
        Latencies(histogram.expect("the bounds and the digits are in order"))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(latency.as_nanos() as u64);
    }

    pub(crate) fn add(&mut self, others: &Latencies) {
        self.0.add(&others.0).expect("the bounds are the same");
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The percentiles, the median first, and the longest.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let percentiles = PERCENTILES.map(|percent| micros(&format!("p{percent}"), self.percentile(percent)));
        let longest = micros("max", Duration::from_nanos(self.0.max()));
        percentiles.into_iter().chain([longest]).collect()
    }

    pub(crate) fn percentile(&self, percent: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_percentile(percent))
    }
}
