//! A distribution of times, in constant memory: buckets that grow with the value.

/// Each doubling is cut into so many buckets: a percentile is at most 1.6 % off.
const PER_DOUBLING: u64 = 64;
const PER_DOUBLING_BITS: u32 = PER_DOUBLING.trailing_zeros();
const BUCKETS: usize = ((64 - PER_DOUBLING_BITS) as usize + 1) * PER_DOUBLING as usize;

/// How often each time was seen, to its bucket.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    sum: u128,
    longest: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Histogram { counts: vec![0; BUCKETS], total: 0, sum: 0, longest: 0 }
    }

    pub(crate) fn record(&mut self, ns: u64) {
        self.counts[bucket(ns)] += 1;
        self.total += 1;
        self.sum += u128::from(ns);
        self.longest = self.longest.max(ns);
    }

    pub(crate) fn add(&mut self, other: &Histogram) {
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
        self.sum += other.sum;
        self.longest = self.longest.max(other.longest);
    }

    /// The time that the share `quantile` of all does not exceed; 0 if there is none.
    pub(crate) fn quantile(&self, quantile: f64) -> u64 {
        let rank = (quantile * self.total as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return highest(index).min(self.longest);
            }
        }
        self.longest
    }

    pub(crate) fn count(&self) -> u64 {
        self.total
    }

    pub(crate) fn mean(&self) -> f64 {
        if self.total == 0 { 0.0 } else { self.sum as f64 / self.total as f64 }
    }

    pub(crate) fn longest(&self) -> u64 {
        self.longest
    }
}

fn bucket(ns: u64) -> usize {
    if ns < PER_DOUBLING {
        return ns as usize;
    }
    let doubling = ns.ilog2() - PER_DOUBLING_BITS;
    let within = (ns >> doubling) - PER_DOUBLING;
    (u64::from(doubling + 1) * PER_DOUBLING + within) as usize
}

/// The highest value that falls into the bucket `index`.
fn highest(index: usize) -> u64 {
    let (doubling, within) = (index as u64 / PER_DOUBLING, index as u64 % PER_DOUBLING);
    match doubling {
        0 => within,
        _ => ((within + PER_DOUBLING + 1) << (doubling - 1)).wrapping_sub(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_falls_into_it_and_no_more() {
        for ns in [0, 1, 63, 64, 65, 127, 128, 1_000, 1_000_000, u64::MAX / 2, u64::MAX] {
            let index = bucket(ns);
            assert!(highest(index) >= ns, "{ns}");
            assert!(index == 0 || highest(index - 1) < ns, "{ns}");
        }
    }

    #[test]
    fn a_percentile_is_within_two_percent() {
        let mut histogram = Histogram::new();
        (1..=100_000).for_each(|ns| histogram.record(ns));
        for (quantile, exact) in [(0.5, 50_000.0), (0.99, 99_000.0), (1.0, 100_000.0)] {
            let told = histogram.quantile(quantile) as f64;
            assert!((told / exact - 1.0).abs() < 0.02, "{quantile}: {told}");
        }
        assert_eq!(histogram.mean(), 50_000.5);
    }
}
