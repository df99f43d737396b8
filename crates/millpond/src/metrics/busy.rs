//! For how long a loop has been busy, and for how long idle, at any instant, in one word.
//!
//! The two add up to the loop's life so far. While it is busy, its idle time stands still, and while it is idle, its busy time
//! does. So the word holds the one that stands still, with a bit that says which: whoever reads it works out the other from
//! the clock, also in the middle of a long stretch, and never sees a stretch twice or not at all.

use super::clock::nanos;
use std::{
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    time::{Duration, Instant},
};

const BUSY: u64 = 1;

/// Written by the loop's thread.
#[derive(Debug, Default)]
pub(crate) struct BusyTime {
    /// `BUSY` and the idle time so far, or the busy time so far, in ns, shifted by the bit: good for 292 years.
    word: AtomicU64,
    /// When the loop began. 0 before that.
    born_ns: AtomicU64,
}

impl BusyTime {
    /// The loop begins, with something to do.
    pub(crate) fn begin(&self, at: Instant) {
        self.born_ns.store(nanos(at), Relaxed);
        self.word.store(BUSY, Release);
    }

    /// The loop has nothing to do. Again, it does nothing.
    pub(crate) fn rest(&self, at: Instant) {
        let word = self.word.load(Relaxed);
        if word & BUSY != 0 {
            self.word.store(self.life_ns(at).saturating_sub(word >> 1) << 1, Release);
        }
    }

    /// The loop has something to do. Again, it does nothing.
    pub(crate) fn resume(&self, at: Instant) {
        let word = self.word.load(Relaxed);
        if word & BUSY == 0 {
            self.word.store(self.life_ns(at).saturating_sub(word >> 1) << 1 | BUSY, Release);
        }
    }

    /// Busy and idle time until `at`.
    pub(super) fn read(&self, at: Instant) -> (Duration, Duration) {
        let word = self.word.load(Acquire);
        // After the word: a loop that has begun has written it before.
        let life = self.life_ns(at);
        let stands = (word >> 1).min(life);
        let (stands, runs) = (Duration::from_nanos(stands), Duration::from_nanos(life - stands));
        if word & BUSY != 0 { (runs, stands) } else { (stands, runs) }
    }

    fn life_ns(&self, at: Instant) -> u64 {
        match self.born_ns.load(Relaxed) {
            0 => 0,
            born => nanos(at).saturating_sub(born),
        }
    }
}

#[cfg(all(test, not(any(millpond_loom, millpond_shuttle))))]
mod tests {
    use super::*;

    #[test]
    fn busy_and_idle_time_add_up_at_every_instant() {
        let (time, start) = (BusyTime::default(), crate::sync::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        let read = |ms| {
            let (busy, idle) = time.read(at(ms));
            (busy.as_millis(), idle.as_millis())
        };
        assert_eq!(read(5), (0, 0));
        time.begin(at(10));
        assert_eq!((read(10), read(13)), ((0, 0), (3, 0)));
        time.rest(at(14));
        time.rest(at(15));
        assert_eq!((read(14), read(20)), ((4, 0), (4, 6)));
        time.resume(at(20));
        time.resume(at(21));
        assert_eq!((read(20), read(30)), ((4, 6), (14, 6)));
        time.rest(at(30));
        assert_eq!((read(29), read(31)), ((14, 5), (14, 7)));
    }
}
