//! What is simulated: a fleet of some size behind one stream or several, and the fleets that a whole run has.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::random::{Random, mixed};
use crate::settings::{JobTime, MS, S, Settings, US};
use crate::simulation;
use crate::tally::Tally;

/// Each stream is given so much of what it can do, when as many streams are taken as a fleet needs: the rest is for
/// bursts, and for what an even share is not.
const STREAM_SHARE: f64 = 0.6;

/// A small fleet is simulated for as long as it takes to see so many crashes, but no longer than an hour.
const CRASHES: f64 = 10.0;
const LONGEST_NS: f64 = 3_600.0 * S as f64;

/// The fleets of a whole run.
pub(crate) const CONSUMERS: [usize; 7] = [10, 30, 100, 300, 1_000, 3_000, 10_000];
/// Where one stream's end is, more closely, with the default costs and load.
const AROUND_THE_END: [usize; 4] = [320, 350, 380, 420];
/// The fleet whose settings are varied: the largest of them behind one stream that is not full.
const VARIED: usize = 300;

/// The tables, by their names in the rows.
pub(crate) const ONE_STREAM: &str = "one stream";
pub(crate) const THE_END: &str = "the end of one stream";
pub(crate) const PARTITIONS: &str = "partitions";
pub(crate) const SETTINGS: &str = "settings";
pub(crate) const OWN: &str = "own";

/// A fleet.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// The table that it belongs to.
    pub(crate) table: &'static str,
    /// What is different in it.
    pub(crate) variant: String,
    pub(crate) consumers: usize,
    pub(crate) streams: usize,
    /// Subjects go to streams by one of so many keys, all equally busy; none: each job has its own.
    pub(crate) keys: Option<u64>,
    /// Of all nodes and all jobs: each stream has its part.
    pub(crate) settings: Settings,
}

impl Case {
    pub(crate) fn new(table: &'static str, consumers: usize, load: f64, settings: &Settings) -> Self {
        let settings = Settings { nodes: consumers, ..settings.clone() };
        let offered_per_s = load * settings.workers_per_s();
        let crashes_ns =
            settings.between_crashes_ns.map_or(0.0, |between| CRASHES * between / consumers as f64);
        let span_ns = settings.span_ns.max(crashes_ns.min(LONGEST_NS) as u64);
        let settings = Settings { offered_per_s, span_ns, ..settings };
        Case { table, variant: String::new(), consumers, streams: 1, keys: None, settings }
    }

    /// As many streams as leave each of them room.
    pub(crate) fn partitioned(self) -> Self {
        let wanted = self.settings.offered_per_s / (STREAM_SHARE * self.settings.stream_per_s());
        self.with_streams((wanted.ceil() as usize).max(1))
    }

    pub(crate) fn with_streams(self, streams: usize) -> Self {
        Case { streams: streams.min(self.consumers), ..self }
    }

    /// The part of the fleet that is behind the stream `which`.
    fn part(&self, which: usize) -> Settings {
        let fleet = &self.settings;
        let nodes = fleet.nodes / self.streams + usize::from(which < fleet.nodes % self.streams);
        let seed = if self.streams == 1 { fleet.seed } else { mixed(fleet.seed ^ which as u64) };
        let offered_per_s = fleet.offered_per_s * self.share(which);
        Settings { nodes, seed, offered_per_s, ..fleet.clone() }
    }

    /// How much of all jobs goes to the stream `which`.
    fn share(&self, which: usize) -> f64 {
        let Some(keys) = self.keys else { return 1.0 / self.streams as f64 };
        let here = (0..keys).filter(|&key| {
            Random::fork(self.settings.seed, key).draw() % self.streams as u64 == which as u64
        });
        here.count() as f64 / keys as f64
    }
}

/// The fleets of a whole run.
pub(crate) fn all(base: &Settings, load: f64) -> Vec<Case> {
    let one = CONSUMERS.map(|consumers| Case::new(ONE_STREAM, consumers, load, base));
    let parts = one.clone().map(|case| Case { table: PARTITIONS, ..case.partitioned() });
    let parts = parts.into_iter().filter(|case| case.streams > 1);
    let end = AROUND_THE_END.map(|consumers| Case::new(THE_END, consumers, load, base));
    one.into_iter().chain(end).chain(parts).chain(varied(base, load)).collect()
}

/// One fleet again and again, each time with one thing changed.
fn varied(base: &Settings, load: f64) -> Vec<Case> {
    let case = |variant: &str, load: f64, settings: Settings| {
        let case = Case::new(SETTINGS, VARIED, load, &settings);
        Case { variant: variant.to_owned(), ..case }
    };
    let with = |change: fn(&mut Settings)| {
        let mut settings = base.clone();
        change(&mut settings);
        settings
    };
    let half = Case { streams: 4, ..case("4 streams", load, base.clone()) };
    vec![
        case("as above", load, base.clone()),
        case("published: half of what the workers can do", 0.5, base.clone()),
        case("published: 95 %", 0.95, base.clone()),
        case("jobs: Pareto", load, with(|s| s.job = JobTime::Pareto { mean_ns: s.job.mean_ns() })),
        case("jobs: all alike", load, with(|s| s.job = JobTime::Fixed { ns: s.job.mean_ns() })),
        case("round trip: 0.05 ms, loopback", load, with(|s| s.round_trip_ns = 50 * US)),
        case("round trip: 2 ms, another zone", load, with(|s| s.round_trip_ns = 2 * MS)),
        case("round trip: 20 ms, another region", load, with(|s| s.round_trip_ns = 20 * MS)),
        case(
            "prefetch: 1 for each worker",
            load,
            with(|s| {
                s.prefetch_ns = 0.0;
                s.prefetch_per_worker = 1;
            }),
        ),
        case(
            "prefetch: 1 for all workers",
            load,
            with(|s| {
                s.prefetch_ns = 0.0;
                s.prefetch_per_worker = 0;
            }),
        ),
        case("`max_in_flight`: as many as workers", load, with(|s| s.max_in_flight = s.workers)),
        case("prefetch: 500 ms", load, with(|s| s.prefetch_ns = 500.0 * MS as f64)),
        case("`max_waiting`: 512, the server's default", load, with(|s| s.max_waiting = 512)),
        case("`max_waiting`: 100, fewer than consumers", load, with(|s| s.max_waiting = 100)),
        case("`max_ack_pending`: 1,000, the server's default", load, with(|s| s.max_ack_pending = 1_000)),
        case("`ack_wait`: 5 s", load, with(|s| s.ack_wait_ns = 5_000 * MS)),
        case(
            "each node crashes every 10 minutes",
            load,
            with(|s| {
                s.between_crashes_ns = Some(600e9);
            }),
        ),
        half.clone(),
        Case { variant: "4 streams, by 100 keys".to_owned(), keys: Some(100), ..half },
    ]
}

/// The counts of each case, in order. Streams know nothing of each other, so they run on as many threads as there are
/// CPUs; which of them runs what makes no difference.
pub(crate) fn run(cases: &[Case], mut done: impl FnMut(&Case, &Tally)) -> Vec<Tally> {
    let parts: Vec<(usize, usize)> = cases
        .iter()
        .enumerate()
        .flat_map(|(index, case)| (0..case.streams).map(move |part| (index, part)))
        .collect();
    let next = AtomicUsize::new(0);
    let (send, results) = mpsc::channel();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            let (send, next, parts) = (send.clone(), &next, &parts);
            scope.spawn(move || {
                while let Some(&(case, part)) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let tally = simulation::run(&cases[case].part(part));
                    send.send((case, part, tally)).expect("the receiver outlives the threads");
                }
            });
        }
        drop(send);
        let mut tallies: Vec<Vec<Option<Tally>>> =
            cases.iter().map(|case| vec![None; case.streams]).collect();
        // Ends with the last thread, whose sender goes with it.
        for (case, part, tally) in results {
            tallies[case][part] = Some(tally);
            if let Some(sum) = sum(&tallies[case]) {
                done(&cases[case], &sum);
            }
        }
        tallies.iter().map(|parts| sum(parts).expect("each part was run")).collect()
    })
}

/// Of all streams, once each is there.
fn sum(parts: &[Option<Tally>]) -> Option<Tally> {
    let (first, rest) = parts.split_first()?;
    let mut sum = first.clone()?;
    for part in rest {
        sum.add(part.as_ref()?);
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_fleet_are_the_fleet() {
        let case = Case::new(OWN, 100, 0.8, &Settings::default()).with_streams(7);
        for case in [case.clone(), Case { keys: Some(30), ..case }] {
            let parts: Vec<Settings> = (0..7).map(|which| case.part(which)).collect();
            assert_eq!(parts.iter().map(|part| part.nodes).sum::<usize>(), 100);
            let offered: f64 = parts.iter().map(|part| part.offered_per_s).sum();
            assert!((offered / case.settings.offered_per_s - 1.0).abs() < 1e-9, "{offered}");
            assert!(parts.iter().all(|part| part.nodes == 14 || part.nodes == 15));
        }
    }

    #[test]
    fn a_fleet_gets_as_many_streams_as_leave_each_of_them_room() {
        let case = |consumers| Case::new(OWN, consumers, 0.8, &Settings::default()).partitioned();
        assert_eq!(case(10).streams, 1);
        let large = case(10_000);
        let each = large.settings.offered_per_s / large.streams as f64;
        assert!(each <= STREAM_SHARE * large.settings.stream_per_s());
        assert!(large.streams > 1 && large.settings.offered_per_s / (large.streams - 1) as f64 > each);
    }

    #[test]
    fn threads_make_no_difference() {
        let settings =
            Settings { span_ns: S, warm_up_ns: S, between_crashes_ns: None, ..Settings::default() };
        let cases = [Case::new(OWN, 20, 0.8, &settings).with_streams(5)];
        let told = || format!("{:?}", run(&cases, |_, _| {}));
        assert_eq!(told(), told());
        let tally = &run(&cases, |_, _| {})[0];
        assert!((tally.jobs_per_s() / cases[0].settings.offered_per_s - 1.0).abs() < 0.1, "{tally:?}");
    }
}
