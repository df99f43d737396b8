//! How long a loop runs tasks before the driver gets its turn.

use crate::sync::now;
use std::time::{Duration, Instant};

/// A turn costs about 1.5 us, a system call among it: over this many polls that is a nanosecond or two each, little beside
/// the cheapest job, of 20 ns. Where polls are longer the time is what counts.
const POLLS: u32 = 1024;
/// The driver's timers tick in milliseconds. A turn that is late by a fifth of one is not seen, and one that comes more
/// often serves nobody.
const TIME_US: u64 = 200;
/// At most this many polls between two readings of the clock: a reading costs 25 ns, a tenth of a trivial job.
const MOST_POLLS_UNTIMED: u32 = 8;

/// Polls and time since the driver's last turn.
pub(crate) struct Budget {
    polls: u32,
    /// When the clock was read last, and after how many polls it is read again. The stride doubles while polls are short
    /// and falls to one at the first long one, so that long polls are not counted by eights.
    read_at: Instant,
    stride: u32,
    next_reading: u32,
    since: Instant,
}

impl Budget {
    pub(crate) fn new() -> Budget {
        let now = now();
        Budget { polls: 0, read_at: now, stride: 1, next_reading: 1, since: now }
    }

    /// Counts a poll. True: the driver's turn is due.
    pub(crate) fn spend_one(&mut self) -> bool {
        self.polls += 1;
        self.polls >= self.next_reading && self.is_spent_by_the_clock()
    }

    /// The driver has had its turn.
    pub(crate) fn renew(&mut self) {
        *self = Budget { stride: self.stride, next_reading: self.stride, ..Budget::new() };
    }

    fn is_spent_by_the_clock(&mut self) -> bool {
        let now = now();
        let short = now - self.read_at < Duration::from_micros(TIME_US) / MOST_POLLS_UNTIMED;
        self.stride = if short { (self.stride * 2).min(MOST_POLLS_UNTIMED) } else { 1 };
        self.next_reading = self.polls + self.stride;
        self.read_at = now;
        self.polls >= POLLS || now - self.since >= Duration::from_micros(TIME_US)
    }
}
