//! How long a loop runs tasks before the driver gets its turn, and how long their polls take.
//!
//! The clock is read for the turns. What it shows between two readings is the time of the polls between them.

use crate::{metrics::Counters, sync::now};
use std::time::{Duration, Instant};

/// A turn costs about 1.5 us, a system call among it: over this many polls that is a nanosecond or two each, little beside
/// the cheapest job, of 20 ns. Where polls are longer the time is what counts.
const POLLS: u32 = 1024;
/// The driver's timers tick in milliseconds. A turn that is late by a fifth of one is not seen, and one that comes more
/// often serves nobody.
const TIME_US: u64 = 200;
/// At most this many polls between two readings of the clock: a reading costs 25 ns, a tenth of a trivial job.
const MOST_POLLS_UNTIMED: u32 = 8;
/// Polls between two readings that together take less are short, and need no reading each.
const SHORT: Duration = Duration::from_micros(TIME_US / MOST_POLLS_UNTIMED as u64);

/// Polls and time since the driver's last turn.
pub(crate) struct Budget {
    polls: u32,
    /// When the clock was read last, and after how many polls it is read again. The stride doubles while polls are short
    /// and falls to one at the first long one, so that long polls are not counted by eights.
    read_at: Instant,
    /// The polls by then.
    read_polls: u32,
    stride: u32,
    next_reading: u32,
    since: Instant,
    /// The mean of the last short ones.
    short_poll_ns: u64,
}

impl Budget {
    pub(crate) fn new() -> Budget {
        Budget::since(now(), 1, 0)
    }

    fn since(now: Instant, stride: u32, short_poll_ns: u64) -> Budget {
        Budget {
            polls: 0,
            read_at: now,
            read_polls: 0,
            stride,
            next_reading: stride,
            since: now,
            short_poll_ns,
        }
    }

    /// Counts a poll. True: the driver's turn is due.
    pub(crate) fn spend_one(&mut self, counters: &Counters) -> bool {
        self.polls += 1;
        self.polls >= self.next_reading && self.is_spent_by_the_clock(counters)
    }

    /// The driver has had its turn.
    pub(crate) fn renew(&mut self) {
        *self = Budget::since(now(), self.stride, self.short_poll_ns);
    }

    /// When the clock was read last.
    pub(crate) fn read_at(&self) -> Instant {
        self.read_at
    }

    /// Reads the clock, and counts the polls since the last reading.
    pub(crate) fn read(&mut self, counters: &Counters) -> Instant {
        let (now, polls) = (now(), self.polls - self.read_polls);
        self.count(counters, polls, now - self.read_at);
        (self.read_at, self.read_polls) = (now, self.polls);
        now
    }

    fn is_spent_by_the_clock(&mut self, counters: &Counters) -> bool {
        let before = self.read_at;
        let now = self.read(counters);
        self.stride = if now - before < SHORT { (self.stride * 2).min(MOST_POLLS_UNTIMED) } else { 1 };
        self.next_reading = self.polls + self.stride;
        self.polls >= POLLS || now - self.since >= Duration::from_micros(TIME_US)
    }

    /// Of several polls that took long together one was long, most likely, and the others like those before.
    fn count(&mut self, counters: &Counters, polls: u32, took: Duration) {
        let (polls, took_ns) = (u64::from(polls), took.as_nanos() as u64);
        match polls {
            0 => return,
            1 => counters.poll_time.record(took_ns, 1),
            _ if took < SHORT => {
                self.short_poll_ns = took_ns / polls;
                counters.poll_time.record(self.short_poll_ns, polls);
            }
            _ => {
                let others_ns = (self.short_poll_ns * (polls - 1)).min(took_ns);
                counters.poll_time.record(others_ns / (polls - 1), polls - 1);
                counters.poll_time.record(took_ns - others_ns, 1);
            }
        }
        counters.polls.add(polls);
    }
}

#[cfg(all(test, not(any(millpond_loom, millpond_shuttle))))]
mod tests {
    use super::*;

    fn counted(budget: &mut Budget, counters: &Counters, polls: u32, us: u64) -> Vec<(u64, u64)> {
        let before = counters.poll_time.histogram();
        budget.count(counters, polls, Duration::from_micros(us));
        let counted = counters.poll_time.histogram().since(&before);
        counted.buckets().map(|(time, count)| (time.as_micros() as u64, count)).collect()
    }

    #[test]
    fn a_long_poll_among_short_ones_is_counted_as_one() {
        let (mut budget, counters) = (Budget::new(), Counters::default());
        assert_eq!(counted(&mut budget, &counters, 0, 5), []);
        assert_eq!(counted(&mut budget, &counters, 1, 100), [(102, 1)]);
        assert_eq!(counted(&mut budget, &counters, 8, 16), [(2, 8)]);
        assert_eq!(counted(&mut budget, &counters, 8, 1014), [(2, 7), (1015, 1)]);
        assert_eq!(counters.polls.get(), 17);
    }
}
