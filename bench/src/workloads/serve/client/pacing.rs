//! When a thread of the client asks, and what it notes of the answers.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use rustix::thread::set_current_timer_slack;

use super::super::super::random::{arrivals, mixed};
use super::super::load::Pace;
use super::connection::Connection;
use super::share::Share;
use crate::latency::Latencies;

/// What one thread has seen, or all together.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) all: Latencies,
    /// Those of light connections.
    pub(super) light: Latencies,
    /// How late a request was that could have been sent when it was due: the client's own part.
    pub(super) lateness: Latencies,
    /// Answers that came before the end; the last ones come after it.
    pub(super) in_time: u64,
}

impl Part {
    pub(super) fn new() -> Self {
        Part { all: Latencies::new(), light: Latencies::new(), lateness: Latencies::new(), in_time: 0 }
    }

    pub(super) fn add(&mut self, other: &Part) {
        self.all.add(&other.all);
        self.light.add(&other.light);
        self.lateness.add(&other.lateness);
        self.in_time += other.in_time;
    }

    fn note(&mut self, connection: &Connection, latency: Duration) {
        self.all.record(latency);
        if !connection.is_heavy {
            self.light.record(latency);
        }
    }
}

/// Asks on all connections of the thread from `start` on for `length`, and waits for the last answers.
pub(super) fn run(
    share: &mut Share,
    pace: Pace,
    start: Instant,
    length: Duration,
    seed: u64,
) -> Result<Part, String> {
    match pace {
        Pace::Closed => run_closed(share, start + length),
        Pace::Open { heavy_per_second, light_per_second } => {
            let per_second = |connection: &Connection| {
                if connection.is_heavy { heavy_per_second } else { light_per_second }
            };
            let schedule = schedule(&share.connections, per_second, length, seed);
            run_open(share, &schedule, start)
        }
    }
}

/// Each answer is followed by the next request.
fn run_closed(share: &mut Share, end: Instant) -> Result<Part, String> {
    let Share { connections, readiness } = share;
    let mut part = Part::new();
    for connection in connections.iter_mut() {
        connection.ask(Instant::now())?;
    }
    let mut waiting = connections.len();
    while waiting > 0 {
        for &index in readiness.wait(None)? {
            let connection = &mut connections[index];
            let Some(since) = connection.receive()? else { continue };
            let now = Instant::now();
            part.note(connection, now - since);
            if now < end {
                part.in_time += 1;
                connection.ask(now)?;
            } else {
                waiting -= 1;
            }
        }
    }
    Ok(part)
}

/// What falls due, and on which connection, in order. Each connection has arrivals of its own.
fn schedule(
    connections: &[Connection],
    per_second: impl Fn(&Connection) -> f64,
    length: Duration,
    seed: u64,
) -> Vec<(Duration, usize)> {
    let of_one = |(index, connection)| {
        let seed = mixed(seed).wrapping_add(index as u64);
        arrivals(mixed(seed), per_second(connection), length).into_iter().map(move |due| (due, index))
    };
    let mut schedule: Vec<(Duration, usize)> = connections.iter().enumerate().flat_map(of_one).collect();
    schedule.sort_unstable();
    schedule
}

/// Each request is sent when it is due, or as soon after as its connection is free; it counts from the due time.
fn run_open(share: &mut Share, schedule: &[(Duration, usize)], start: Instant) -> Result<Part, String> {
    // The kernel may else be 50 us late, to save wake-ups.
    let _ = set_current_timer_slack(NonZeroU64::new(1));
    let Share { connections, readiness } = share;
    let mut part = Part::new();
    let (mut next, mut unanswered) = (0, schedule.len());
    while unanswered > 0 {
        let passed = start.elapsed();
        while let Some(&(due, index)) = schedule.get(next).filter(|(due, _)| *due <= passed) {
            let connection = &mut connections[index];
            if !connection.is_waiting() {
                part.lateness.record(passed - due);
            }
            connection.ask_when_free(start + due)?;
            next += 1;
        }
        let limit = schedule.get(next).map(|(due, _)| due.saturating_sub(start.elapsed()));
        for &index in readiness.wait(limit)? {
            let connection = &mut connections[index];
            let Some(since) = connection.receive()? else { continue };
            part.note(connection, since.elapsed());
            unanswered -= 1;
            if let Some(due) = connection.next_due() {
                connection.ask(due)?;
            }
        }
    }
    part.in_time = schedule.len() as u64;
    Ok(part)
}
