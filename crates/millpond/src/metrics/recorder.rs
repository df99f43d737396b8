//! The writing side of a histogram.

use super::{
    counters::Count,
    histogram::{BUCKETS, Histogram, bucket},
};
use std::fmt;

/// Counts times on one thread; any other may look.
pub(crate) struct Recorder {
    counts: Box<[Count]>,
    sum_ns: Count,
}

impl Recorder {
    /// Counts a time that stands for so many.
    pub(crate) fn record(&self, ns: u64, times: u64) {
        self.counts[bucket(ns)].add(times);
        self.sum_ns.add(ns.saturating_mul(times));
    }

    /// What has been counted by now, or in the middle of a `record` all but that.
    pub(crate) fn histogram(&self) -> Histogram {
        Histogram::from_counts(self.counts.iter().map(Count::get).collect(), self.sum_ns.get())
    }
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder { counts: (0..BUCKETS).map(|_| Count::default()).collect(), sum_ns: Count::default() }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.histogram().fmt(f)
    }
}
