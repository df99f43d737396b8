//! What the kernel knows of a worker's thread: whether a poll that takes long computes or blocks, or waits for a CPU.

use rustix::thread::Pid;
use std::{fs, time::Duration};

/// A thread's times since its start, and what it does now.
#[derive(Debug)]
pub(super) struct ThreadTime {
    /// On a CPU, by the last tick of the kernel's clock.
    on_cpu: Duration,
    /// Ready to run, and in the queue for a CPU; but for the wait that it is in, if it is in one.
    queued: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// On a CPU, or in the queue for one: the kernel does not tell which.
    Runnable,
    /// It waits for something: a lock, a disk, a time to come.
    Blocked,
    /// By a debugger, or by SIGSTOP.
    Stopped,
}

impl ThreadTime {
    /// `None` without `/proc`, and where the kernel does not count.
    pub(super) fn of(thread: Pid) -> Option<ThreadTime> {
        // Miri has no `/proc`.
        if cfg!(miri) {
            return None;
        }
        let read =
            |file| fs::read_to_string(format!("/proc/self/task/{}/{file}", thread.as_raw_nonzero())).ok();
        // The state first: a thread that is blocked by then has all its waits in the times that are read after it.
        let state = read("stat")?;
        ThreadTime::parse(&state, &read("schedstat")?)
    }

    fn parse(stat: &str, schedstat: &str) -> Option<ThreadTime> {
        // Behind the thread's name, which is in brackets and may hold anything.
        let state = match stat.rsplit_once(") ")?.1.as_bytes().first()? {
            b'R' => State::Runnable,
            b'T' | b't' => State::Stopped,
            _ => State::Blocked,
        };
        let mut times = schedstat.split_ascii_whitespace().map_while(|number| number.parse().ok());
        let (on_cpu, queued, turns) = (times.next()?, times.next()?, times.next()?);
        // A thread that has started has had a turn on a CPU: a kernel that says otherwise does not count. The times are zero
        // until a tick in the first turn.
        (turns > 0).then(|| ThreadTime {
            on_cpu: Duration::from_nanos(on_cpu),
            queued: Duration::from_nanos(queued),
            state,
        })
    }

    /// How much of the time since `before` the thread had for itself, at the least: what it may have spent in the queue is left
    /// out. `passed` is all of that time, and `watched` as much of it as the watch was up for.
    pub(super) fn held_since(&self, before: &ThreadTime, passed: Duration, watched: Duration) -> Duration {
        let queued = self.queued.saturating_sub(before.queued);
        // What it has had of a CPU is certain, whoever was late to see it. The bound is for the tick that may be in it.
        let computed = self.on_cpu.saturating_sub(before.on_cpu).min(passed.saturating_sub(queued));
        match self.state {
            State::Blocked => computed.max(watched.saturating_sub(queued)),
            // It may have been in the queue for all the rest.
            State::Runnable => computed,
            State::Stopped => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(state: char, schedstat: &str) -> Option<ThreadTime> {
        ThreadTime::parse(&format!("7 (a) (R) {state} 1 7 7 0"), schedstat)
    }

    #[test]
    fn the_times_of_a_thread_are_read() {
        let time = parse('S', "5000000 300 9\n").unwrap();
        let expected = (Duration::from_millis(5), Duration::from_nanos(300), State::Blocked);
        assert_eq!((time.on_cpu, time.queued, time.state), expected);
        assert!(parse('R', "0 0 0\n").is_none(), "a kernel that does not count");
        assert!(
            parse('R', "0 0 1\n").is_some(),
            "a thread that has just come onto its first CPU, without a wait"
        );
        assert!(parse('R', "").is_none() && ThreadTime::parse("", "1 1 1").is_none());
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs /proc")]
    fn a_running_thread_has_times() {
        assert_eq!(ThreadTime::of(rustix::thread::gettid()).unwrap().state, State::Runnable);
    }

    #[test]
    fn time_in_the_queue_is_taken_off() {
        let before = parse('R', "1000000 2000000 3").unwrap();
        let ms = Duration::from_millis;
        let held_ms = |state, schedstat, passed, watched| {
            parse(state, schedstat).unwrap().held_since(&before, ms(passed), ms(watched)).as_millis()
        };
        let held_of_20_ms = |state, schedstat| held_ms(state, schedstat, 20, 20);
        assert_eq!(held_of_20_ms('S', "1000000 2000000 4"), 20, "it blocks");
        assert_eq!(held_of_20_ms('S', "1000000 9000000 4"), 13, "it blocks, and has waited");
        assert_eq!(held_of_20_ms('R', "21000000 2000000 4"), 20, "it computes");
        assert_eq!(held_of_20_ms('R', "3000000 2000000 4"), 2, "it may wait now");
        assert_eq!(held_of_20_ms('R', "11000000 17000000 4"), 5, "it computes, and has waited");
        assert_eq!(held_of_20_ms('R', "1000000 90000000 4"), 0);
        assert_eq!(held_of_20_ms('t', "1000000 2000000 4"), 0, "a debugger has it");
        // A busy machine, on which the watch comes late too.
        assert_eq!(held_ms('R', "21000000 22000000 4", 40, 10), 20, "it computes, for half of the time");
        assert_eq!(held_ms('S', "13000000 22000000 4", 40, 10), 12, "it blocks now");
    }
}
