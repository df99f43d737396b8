//! A distribution of times, in buckets whose width grows with the time: high dynamic range in fixed memory.
//!
//! Each octave has 16 buckets of one width, so that a bucket is at most a sixteenth as wide as what is in it (the layout of
//! Gil Tene's HdrHistogram, <https://hdrhistogram.org>, with four bits of precision).

use std::{fmt, time::Duration};

/// Of the value, beside its first bit: an error of 6 % at most, 3 % in the middle.
const PRECISION_BITS: u32 = 4;
const BUCKETS_PER_OCTAVE: usize = 1 << PRECISION_BITS;
/// Values are below 2^43 ns, 2 h 26 min; what is longer counts as that.
const VALUE_BITS: u32 = 43;
/// One row for the values below 16 ns, and one for each octave above.
pub(super) const BUCKETS: usize = (VALUE_BITS - PRECISION_BITS + 1) as usize * BUCKETS_PER_OCTAVE;

/// The bucket that a time falls into.
#[inline]
pub(super) fn bucket(ns: u64) -> usize {
    let ns = ns.min((1 << VALUE_BITS) - 1);
    let shift = (u64::BITS - ns.leading_zeros()).saturating_sub(PRECISION_BITS + 1);
    // Below 2^VALUE_BITS, which fits.
    shift as usize * BUCKETS_PER_OCTAVE + (ns >> shift) as usize
}

/// The longest time that falls into a bucket.
fn upper_bound_ns(bucket: usize) -> u64 {
    if bucket < 2 * BUCKETS_PER_OCTAVE {
        return bucket as u64;
    }
    let shift = bucket / BUCKETS_PER_OCTAVE - 1;
    let first = (bucket - shift * BUCKETS_PER_OCTAVE) as u64;
    ((first + 1) << shift) - 1
}

/// How often each time came up, to within 6 %, from a nanosecond to two hours.
///
/// What a worker counts takes 5 KiB, however much is counted. Two can be [merged](Self::merge) without loss, of two workers
/// or two pools, and the [difference](Self::since) of two snapshots is what came between them.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let before = pool.metrics().poll_time();
/// pool.spawn(|| async { std::thread::sleep(std::time::Duration::from_millis(20)) }).join()?;
/// // The worker reads its clock when it is done with the job, a moment after the job's end.
/// # while pool.metrics().poll_time().since(&before).count() == 0 {}
/// let polls = pool.metrics().poll_time().since(&before);
/// println!("{} polls, {:?} in all, {:?} each", polls.count(), polls.sum(), polls.mean());
/// println!("half of them took no more than {:?}", polls.quantile(0.5));
/// for (longest, count) in polls.buckets() {
///     println!("{count} of up to {longest:?}");
/// }
/// let mut both = before.clone(); // of two workers, or two pools
/// both.merge(&polls);
/// assert!(polls.max().as_millis() >= 20);
/// # Ok(()) }
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// By bucket, up to the last that is not empty.
    counts: Vec<u64>,
    sum_ns: u64,
}

impl Histogram {
    pub(super) fn from_counts(mut counts: Vec<u64>, sum_ns: u64) -> Histogram {
        counts.truncate(counts.iter().rposition(|count| *count > 0).map_or(0, |last| last + 1));
        Histogram { counts, sum_ns }
    }

    /// How many times were counted.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All of them together, exactly.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_ns)
    }

    /// Their mean, exactly; zero if there are none.
    pub fn mean(&self) -> Duration {
        Duration::from_nanos(self.sum_ns.checked_div(self.count()).unwrap_or(0))
    }

    /// The longest, to within 6 %, rounded up; zero if there is none.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.counts.len().checked_sub(1).map_or(0, upper_bound_ns))
    }

    /// The time that a share `q` of all do not exceed, to within 6 %, rounded up: `quantile(0.5)` is the median. Zero if there
    /// are none; the shortest for a `q` below 0, and the longest for one above 1.
    pub fn quantile(&self, q: f64) -> Duration {
        let count = self.count();
        // Saturates at both ends; a NaN becomes 0.
        let rank = ((q * count as f64).ceil() as u64).clamp(1, count.max(1));
        let mut seen = 0;
        let reaches = |count: &u64| {
            seen += count;
            seen >= rank
        };
        Duration::from_nanos(self.counts.iter().position(reaches).map_or(0, upper_bound_ns))
    }

    /// Adds what `other` has counted.
    pub fn merge(&mut self, other: &Histogram) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, other)| *count += other);
        self.sum_ns += other.sum_ns;
    }

    /// What was counted after `earlier`, a snapshot of the same histogram. Where `earlier` has more, this has none.
    pub fn since(&self, earlier: &Histogram) -> Histogram {
        let before = earlier.counts.iter().copied().chain(std::iter::repeat(0));
        let counts = self.counts.iter().zip(before).map(|(now, before)| now.saturating_sub(before)).collect();
        Histogram::from_counts(counts, self.sum_ns.saturating_sub(earlier.sum_ns))
    }

    /// The buckets that are not empty, from the shortest to the longest: the longest time that falls into one, and how many
    /// did.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        let filled = self.counts.iter().copied().enumerate().filter(|(_, count)| *count > 0);
        filled.map(|(bucket, count)| (Duration::from_nanos(upper_bound_ns(bucket)), count))
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count())
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .field("max", &self.max())
            .finish_non_exhaustive()
    }
}

#[cfg(all(test, not(any(millpond_loom, millpond_shuttle))))]
mod tests {
    use super::*;
    use hdrhistogram::Histogram as Reference;
    use proptest::prelude::*;

    fn of(times: &[u64]) -> Histogram {
        let mut counts = vec![0; BUCKETS];
        times.iter().for_each(|ns| counts[bucket(*ns)] += 1);
        Histogram::from_counts(counts, times.iter().sum())
    }

    #[test]
    fn each_bucket_begins_where_the_one_before_ends() {
        for index in 0..BUCKETS - 1 {
            let last = upper_bound_ns(index);
            assert_eq!((bucket(last), bucket(last + 1)), (index, index + 1));
        }
        assert_eq!(upper_bound_ns(BUCKETS - 1), (1 << VALUE_BITS) - 1);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn an_empty_histogram_is_all_zero() {
        let empty = Histogram::default();
        assert_eq!((empty.count(), empty.mean(), empty.max()), (0, Duration::ZERO, Duration::ZERO));
        assert_eq!((empty.quantile(0.99), empty.buckets().count()), (Duration::ZERO, 0));
        assert_eq!(of(&[]), empty);
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_a_reference_to_within_a_sixteenth(
            times in prop::collection::vec(1_u64..1 << 42, 1..400),
            q in 0.0_f64..=1.0,
        ) {
            let mut reference = Reference::<u64>::new(3).unwrap();
            times.iter().for_each(|ns| reference.record(*ns).unwrap());
            let (ours, theirs) = (of(&times).quantile(q).as_nanos() as f64, reference.value_at_quantile(q) as f64);
            prop_assert!(ours >= theirs * 0.998 && ours <= theirs * 1.0645, "{ours} against {theirs}");
        }

        #[test]
        fn a_merge_counts_all_and_a_difference_takes_back(
            first in prop::collection::vec(0_u64..1 << 42, 0..50),
            second in prop::collection::vec(0_u64..1 << 42, 0..50),
        ) {
            let mut merged = of(&first);
            merged.merge(&of(&second));
            prop_assert_eq!(&merged, &of(&[&first[..], &second[..]].concat()));
            prop_assert_eq!(merged.since(&of(&first)), of(&second));
        }
    }
}
