//! How many messages are kept ready for the pool's workers.
//!
//! Too few, and the workers wait for the server; too many, and they wait here while another machine is idle. What a pool gets
//! through in [`AHEAD`] is enough for any network, and short beside what a person notices. How much that is shows while
//! messages wait: then the pool takes them as fast as it can.

use std::time::{Duration, Instant};

/// Several round trips, of tens of milliseconds between continents at most. What a consumer holds back from others is this
/// much of its own work.
const AHEAD: Duration = Duration::from_millis(50);

/// Shorter, and a few messages that were taken in one go would look like a rate.
const SAMPLE: Duration = Duration::from_millis(1);

/// One to be at, one ready.
const AT_LEAST_PER_WORKER: usize = 2;

/// The intake's.
#[derive(Debug)]
pub(crate) struct Prefetch {
    at_least: usize,
    at_most: usize,
    /// Messages a second that the pool began while others waited. 0: not known yet.
    rate: f64,
    /// Where the sample under way began.
    since: Instant,
    started: u64,
    /// Messages waited at the last look.
    waited: bool,
}

impl Prefetch {
    pub(crate) fn new(workers: usize, at_most: usize) -> Prefetch {
        let at_least = (workers * AT_LEAST_PER_WORKER).min(at_most);
        Prefetch { at_least, at_most, rate: 0.0, since: Instant::now(), started: 0, waited: false }
    }

    /// How many messages are to wait. `started` counts those begun so far, `waiting` those that wait now.
    pub(crate) fn target(&mut self, now: Instant, started: u64, waiting: bool) -> usize {
        let passed = now.saturating_duration_since(self.since);
        if passed >= SAMPLE {
            let rate = (started - self.started) as f64 / passed.as_secs_f64();
            match (self.waited, waiting) {
                // Half of the old one: what a single sample says may be chance.
                (true, true) => self.rate = (self.rate + rate) / 2.0,
                // They ran out in between: the pool can do at least as much.
                (true, false) => self.rate = self.rate.max(rate),
                (false, _) => {}
            }
            (self.since, self.started) = (now, started);
        }
        self.waited = waiting;
        ((self.rate * AHEAD.as_secs_f64()) as usize).clamp(self.at_least, self.at_most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_slow_pool_holds_two_messages_a_worker() {
        let mut prefetch = Prefetch::new(4, 1000);
        let start = Instant::now();
        for second in 1..100 {
            // Four workers, each done once a second.
            assert_eq!(prefetch.target(start + second * 1000 * MS, u64::from(second) * 4, true), 8);
        }
    }

    #[test]
    fn a_fast_pool_holds_what_it_does_in_50_ms() {
        let mut prefetch = Prefetch::new(2, 4096);
        let start = Instant::now();
        let target = (1..20).map(|ms| prefetch.target(start + ms * MS, u64::from(ms) * 20, true)).last();
        assert!((900..=1000).contains(&target.unwrap()), "20,000 a second: {target:?}");
        let target = (20..40).map(|ms| prefetch.target(start + ms * MS, u64::from(ms) * 1000, true)).last();
        assert_eq!(target, Some(4096), "and no more than it may");
        let target = (40..100).map(|ms| prefetch.target(start + ms * MS, 40_000, true)).last();
        assert_eq!(target, Some(4), "then it stands still");
    }

    #[test]
    fn a_pool_that_waits_for_messages_says_nothing_of_its_speed() {
        let mut prefetch = Prefetch::new(2, 4096);
        let start = Instant::now();
        prefetch.target(start, 0, true);
        let known = prefetch.target(start + 2 * MS, 100, true);
        for second in 1..100 {
            assert_eq!(
                prefetch.target(start + second * 1000 * MS, 100 + u64::from(second), false),
                known.max(4)
            );
        }
    }
}
