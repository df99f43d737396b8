//! For how long a loop has been busy, and for how long idle, at any instant, in one word.
//!
//! The two add up to the loop's life so far. While it is busy, its idle time stands still, and while it is idle, its busy time
//! does. So the word holds the one that stands still, with a bit that says which: whoever reads it works out the other from
//! the clock, also in the middle of a long stretch, and never sees a stretch twice or not at all.
//!
//! The loop reads its clock a moment before it writes the word, or long before if it loses the CPU in between. Whoever reads
//! meanwhile gives the moment to the wrong one. So what has been told is kept, and is not taken back: neither time goes down.

use super::clock::nanos;
use crate::sync::unmodelled::{Mutex, lock};
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
    /// Of the readers alone.
    told: Mutex<Told>,
}

/// What the last reader got.
#[derive(Debug, Default)]
struct Told {
    busy_ns: u64,
    idle_ns: u64,
}

impl BusyTime {
    /// The loop begins, with something to do. One that has run before goes on.
    pub(crate) fn begin(&self, at: Instant) {
        if self.born_ns.load(Relaxed) != 0 {
            return self.resume(at);
        }
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

    /// Whether the loop has nothing to do, as far as it has said. For the loop itself.
    #[inline]
    pub(crate) fn is_resting(&self) -> bool {
        self.word.load(Relaxed) & BUSY == 0
    }

    /// Busy and idle time until `at`, or until when they were told last, if that is later.
    pub(super) fn read(&self, at: Instant) -> (Duration, Duration) {
        let mut told = lock(&self.told);
        let word = self.word.load(Acquire);
        // After the word: a loop that has begun has written it before.
        let life = self.life_ns(at).max(told.busy_ns + told.idle_ns);
        let stands = (word >> 1).min(life);
        let busy = if word & BUSY != 0 { life - stands } else { stands };
        let busy = busy.clamp(told.busy_ns, life - told.idle_ns);
        *told = Told { busy_ns: busy, idle_ns: life - busy };
        (Duration::from_nanos(told.busy_ns), Duration::from_nanos(told.idle_ns))
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
    use crate::sync::now;

    /// An instant which has a number of its own: those before the process has first asked for one have the same.
    fn start() -> Instant {
        let _ = nanos(now());
        now()
    }

    #[test]
    fn busy_and_idle_time_add_up_at_every_instant() {
        let (time, start) = (BusyTime::default(), start());
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
        assert_eq!(read(31), (14, 7));
    }

    #[test]
    fn what_was_told_is_not_taken_back() {
        let (time, start) = (BusyTime::default(), start());
        let at = |ms: u64| start + Duration::from_millis(ms);
        let read = |ms| {
            let (busy, idle) = time.read(at(ms));
            (busy.as_millis(), idle.as_millis())
        };
        time.begin(at(0));
        assert_eq!(read(10), (10, 0));
        // By a clock that was read before that look.
        time.rest(at(7));
        assert_eq!([read(10), read(12), read(11)], [(10, 0), (10, 2), (10, 2)]);
        assert_eq!(read(20), (10, 10));
        time.resume(at(15));
        assert_eq!([read(20), read(22)], [(10, 10), (12, 10)]);
    }
}
