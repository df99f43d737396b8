//! How long a loop runs tasks before the driver gets its turn.

use std::time::{Duration, Instant};

/// A turn costs one system call, about 300 ns: over this many polls that is a few nanoseconds each, little beside the
/// cheapest job.
const POLLS: u32 = 128;
/// Timers tick in milliseconds: a fifth of one keeps a turn's delay out of sight.
const TIME_US: u64 = 200;
/// The clock is read at every so many polls, since a reading costs as much as a short poll.
const CLOCK_POLLS: u32 = 8;

/// Polls and time since the driver's last turn.
pub(crate) struct Budget {
    polls: u32,
    since: Instant,
    spent: bool,
}

impl Budget {
    pub(crate) fn new() -> Budget {
        Budget { polls: 0, since: Instant::now(), spent: false }
    }

    /// Counts a poll. True: the driver's turn is due.
    pub(crate) fn spend_one(&mut self) -> bool {
        self.polls += 1;
        if self.polls % CLOCK_POLLS == 0 {
            self.spent = self.polls >= POLLS || self.since.elapsed() >= Duration::from_micros(TIME_US);
        }
        self.spent
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.spent
    }

    pub(crate) fn renew(&mut self) {
        *self = Budget::new();
    }
}
