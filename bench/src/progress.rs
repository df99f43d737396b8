//! What is measured now, and when all will have been: on stderr, in one line on a terminal.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::measure::Size;
use crate::plan::Plan;
use crate::run::Group;

/// Between two lines where each new one stays, as in a log.
const LOG_PAUSE: Duration = Duration::from_secs(20);

/// How far the run is. Dropped, it says nothing.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    /// Of all rounds.
    cases: usize,
    /// Measured, or passed over.
    done: usize,
    /// Only the measured ones took time.
    measured: usize,
    limit: Duration,
    terminal: bool,
    told: Option<Instant>,
    silent: bool,
}

impl Progress {
    pub(crate) fn new(cases_a_round: usize, plan: &Plan) -> Self {
        Progress {
            started: Instant::now(),
            cases: cases_a_round * plan.runs,
            done: 0,
            measured: 0,
            limit: plan.limit,
            terminal: stderr().is_terminal(),
            told: None,
            silent: plan.size == Size::Smoke,
        }
    }

    pub(crate) fn begins(&mut self, group: &Group, contender: &str) {
        self.tell(&format!("{}: {contender}", group.name()));
        self.done += 1;
        self.measured += 1;
    }

    pub(crate) fn passed_over(&mut self, cases: usize) {
        self.done += cases;
    }

    pub(crate) fn end(&self) {
        if self.terminal && !self.silent {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }

    fn tell(&mut self, what: &str) {
        if self.silent || (!self.terminal && self.told.is_some_and(|told| told.elapsed() < LOG_PAUSE)) {
            return;
        }
        self.told = Some(Instant::now());
        let elapsed = self.started.elapsed();
        let line =
            format!("{}/{}, {}{}: {what}", self.done + 1, self.cases, minutes(elapsed), self.left(elapsed));
        let (before, after) = if self.terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        // Who cannot read it loses nothing else.
        let _ = write!(stderr(), "{before}{line}{after}").and_then(|()| stderr().flush());
    }

    /// By the mean of the cases so far, and by the limit: nothing is begun after it.
    fn left(&self, elapsed: Duration) -> String {
        if self.measured == 0 {
            return String::new();
        }
        let each = elapsed.as_secs_f64() / self.measured as f64;
        let all = Duration::from_secs_f64(each * (self.cases - self.done) as f64);
        format!(", {} to go", minutes(all.min(self.limit.saturating_sub(elapsed))))
    }
}

fn minutes(time: Duration) -> String {
    format!("{}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}
