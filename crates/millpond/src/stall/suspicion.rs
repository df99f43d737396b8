//! What the looks at one worker amount to.
//!
//! # Why two equal counts mean one poll
//!
//! A worker counts a step, then shows what it runs in it (a release), then runs that; when it finds nothing to run, or lets
//! its driver have a turn, it shows that. A look reads the count, then what runs (an acquire), then the count again.
//!
//! - What a look has read of a later step, it has read after that step's count: the second count would differ. So with equal
//!   counts, what runs is of the counted step or of one before it.
//! - It is of one before only while the counted step has not shown its own yet: for the few hundred nanoseconds in which the
//!   worker picks it. A look that finds the same count again a quarter of the threshold later finds the step's own.
//! - Between two looks with the same count the worker was in that step throughout: it has rested in between only if nothing
//!   runs at the second, since the next thing to run comes with a count.

use super::thread_time::ThreadTime;
use crate::{load::Load, task::Origin};
use std::time::{Duration, Instant};

/// One worker's state, as the looks have found it.
#[derive(Debug)]
pub(super) enum Suspicion {
    /// It has something else to do at each look, or nothing.
    Moves,
    /// It was in this step at the last look.
    Seen { step: usize },
    /// And at the look before. From then on its time is taken.
    Held(Held),
    /// It was told of in this step.
    Told { step: usize },
}

/// A worker that has been in one poll for a while.
#[derive(Debug)]
pub(super) struct Held {
    step: usize,
    since: Instant,
    /// The time since then, as far as the watch was up to see it.
    watched: Duration,
    /// Until when that goes.
    until: Instant,
    /// Its thread's times at the beginning, if they can be read.
    before: Option<ThreadTime>,
}

impl Suspicion {
    /// Looks at the worker. Says what has just come to hold it for as long as the threshold, and for how long; once for each
    /// such poll.
    pub(super) fn look(
        &mut self,
        load: &Load,
        limits: &Limits,
        thread_time: impl Fn() -> Option<ThreadTime>,
    ) -> Option<(Origin, Duration)> {
        let step = load.steps();
        let running = load.running();
        let Some(origin) = running.filter(|_| load.steps() == step) else {
            *self = Suspicion::Moves;
            return None;
        };
        match self {
            Suspicion::Seen { step: seen } if *seen == step => {
                let before = thread_time();
                // The clock after the thread's times: the time in question then lies within that of which they tell.
                let since = Instant::now();
                *self = Suspicion::Held(Held { step, since, watched: Duration::ZERO, until: since, before });
            }
            Suspicion::Held(held) if held.step == step => {
                let time = held.time_at(Instant::now(), limits, thread_time);
                if time >= limits.threshold && load.steps() == step {
                    *self = Suspicion::Told { step };
                    return Some((origin, time));
                }
            }
            Suspicion::Told { step: told } if *told == step => {}
            _ => *self = Suspicion::Seen { step },
        }
        None
    }
}

#[cfg(feature = "backtrace")]
impl Suspicion {
    /// What it has told of still lasts.
    pub(super) fn lasts(&self, load: &Load) -> bool {
        matches!(self, Suspicion::Told { step } if load.running().is_some() && load.steps() == *step)
    }
}

/// What the looks go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) threshold: Duration,
    /// More time than this between two looks is the watch's own lateness: it did not get the CPU, the process was stopped, the
    /// machine slept. It says nothing of the worker, and counts as this.
    pub(super) longest_gap: Duration,
}

impl Held {
    /// For how long the poll has had the worker's thread, at the least.
    fn time_at(
        &mut self,
        now: Instant,
        limits: &Limits,
        thread_time: impl Fn() -> Option<ThreadTime>,
    ) -> Duration {
        self.watched += (now - self.until).min(limits.longest_gap);
        self.until = now;
        // No file is read before it matters.
        if self.watched < limits.threshold {
            return self.watched;
        }
        match (&self.before, thread_time()) {
            (Some(before), Some(after)) => after.held_since(before, now - self.since, self.watched),
            _ => self.watched,
        }
    }
}

#[cfg(all(test, not(any(millpond_loom, millpond_shuttle))))]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { threshold: Duration::ZERO, longest_gap: Duration::from_secs(1) };

    /// A worker in a step, which the looks are told is held for long enough as soon as it is held.
    fn running() -> (Load, Suspicion) {
        let load = Load::new();
        load.count_step();
        load.set_running(Origin::here());
        (load, Suspicion::Moves)
    }

    fn looks(suspicion: &mut Suspicion, load: &Load, times: usize) -> usize {
        (0..times).filter_map(|_| suspicion.look(load, &LIMITS, || None)).count()
    }

    #[test]
    fn a_step_that_stays_is_told_of_once() {
        let (load, mut suspicion) = running();
        assert_eq!(looks(&mut suspicion, &load, 2), 0, "a look can have come at the end of the step");
        assert_eq!(looks(&mut suspicion, &load, 1), 1);
        assert_eq!(looks(&mut suspicion, &load, 10), 0);
        load.count_step();
        assert_eq!(looks(&mut suspicion, &load, 10), 1, "the next one is another");
    }

    #[test]
    fn steps_that_go_and_rests_are_none() {
        let (load, mut suspicion) = running();
        for _ in 0..100 {
            assert_eq!(looks(&mut suspicion, &load, 2), 0);
            load.count_step();
        }
        load.set_idle();
        assert_eq!(looks(&mut suspicion, &load, 10), 0);
        // Before the next thing is shown, there is a count.
        assert_eq!(looks(&mut suspicion, &load, 10), 0);
        load.count_step();
        load.set_running(Origin::here());
        assert_eq!(looks(&mut suspicion, &load, 2), 0);
    }

    #[test]
    fn time_that_the_watch_has_slept_through_does_not_count() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let limits = Limits { threshold: Duration::from_millis(10), longest_gap: Duration::from_millis(5) };
        let mut held = Held { step: 1, since: start, watched: Duration::ZERO, until: start, before: None };
        let mut time_at = |ms| held.time_at(at(ms), &limits, || None).as_millis();
        assert_eq!([time_at(3), time_at(60_000), time_at(60_002)], [3, 8, 10]);
    }
}
