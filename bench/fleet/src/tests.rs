//! What a simulation must agree with: the formulas of queues, where there is one.

use crate::settings::{Costs, JobTime, MS, S, Settings, US};
use crate::simulation;

const FREE: Costs = Costs { publish_ns: 0, deliver_ns: 0, ack_ns: 0, pull_ns: 0 };

/// One node beside a server that costs nothing: its workers are all that there is to wait for.
fn workers_alone(workers: usize, utilisation: f64) -> Settings {
    let job = JobTime::Exponential { mean_ns: 10.0 * MS as f64 };
    let settings = Settings {
        workers,
        job,
        costs: FREE,
        overhead_ns: 0.0,
        round_trip_ns: 0,
        ack_linger_ns: 0,
        between_crashes_ns: None,
        warm_up_ns: 100 * S,
        span_ns: 2_000 * S,
        ..Settings::default()
    };
    Settings { offered_per_s: utilisation * settings.node_per_s(), ..settings }
}

fn within(told: f64, expected: f64, share: f64) {
    assert!((told / expected - 1.0).abs() < share, "{told} where {expected} was expected");
}

/// Erlang's C: the share of jobs that wait, of `workers` that are so busy.
fn erlang_c(workers: usize, utilisation: f64) -> f64 {
    let load = workers as f64 * utilisation;
    let term = |n: usize| (1..=n).fold(1.0, |term, k| term * load / k as f64);
    let waiting = term(workers) / (1.0 - utilisation);
    waiting / ((0..workers).map(term).sum::<f64>() + waiting)
}

#[test]
fn workers_without_a_server_wait_as_erlang_says() {
    for (workers, utilisation) in [(1, 0.5), (1, 0.8), (4, 0.8), (16, 0.9)] {
        let settings = workers_alone(workers, utilisation);
        let tally = simulation::run(&settings);
        let free_per_s = settings.node_per_s() * (1.0 - utilisation);
        within(tally.wait.mean(), erlang_c(workers, utilisation) * 1e9 / free_per_s, 0.05);
        within(tally.jobs_per_s(), settings.offered_per_s, 0.01);
    }
}

/// Many nodes that take no more than they run are one queue with many servers.
#[test]
fn nodes_that_take_no_more_than_they_run_are_one_queue() {
    let settings = Settings { nodes: 32, workers: 1, max_in_flight: 1, ..workers_alone(32, 0.9) };
    let tally = simulation::run(&settings);
    let free_per_s = settings.workers_per_s() - settings.offered_per_s;
    within(tally.wait.mean(), erlang_c(32, 0.9) * 1e9 / free_per_s, 0.07);
}

/// A server with one cost that is always the same, before workers without end: Pollaczek and Khinchine's wait, and the
/// service itself.
#[test]
fn a_stream_that_takes_equally_long_for_each_job_waits_as_its_formula_says() {
    for utilisation in [0.5, 0.8, 0.95] {
        let cost_ns = 5 * US;
        let settings = Settings {
            workers: 1_000,
            costs: Costs { publish_ns: cost_ns, ..FREE },
            offered_per_s: utilisation * 1e9 / cost_ns as f64,
            job: JobTime::Fixed { ns: MS as f64 },
            warm_up_ns: S,
            span_ns: 5 * S,
            ..workers_alone(1, 0.0)
        };
        let tally = simulation::run(&settings);
        let cost_ns = cost_ns as f64;
        within(tally.wait.mean(), cost_ns + utilisation * cost_ns / (2.0 * (1.0 - utilisation)), 0.03);
        within(tally.utilisation(), utilisation, 0.01);
    }
}

#[test]
fn little_s_law_holds() {
    let settings = Settings { nodes: 20, span_ns: 100 * S, ..Settings::default() };
    let settings = Settings { offered_per_s: 0.8 * settings.workers_per_s(), ..settings };
    let tally = simulation::run(&settings);
    within(tally.present(), tally.jobs_per_s() * tally.stay.mean() / 1e9, 0.01);
}

/// A fleet with all that can go wrong: crashes, a stream that is nearly full, requests that are refused.
fn troubled() -> Settings {
    let settings = Settings {
        nodes: 40,
        job: JobTime::Pareto { mean_ns: 5.0 * MS as f64 },
        costs: Costs { publish_ns: 10 * US, deliver_ns: 5 * US, ack_ns: 5 * US, pull_ns: 10 * US },
        max_waiting: 20,
        max_ack_pending: 400,
        ack_wait_ns: S,
        between_crashes_ns: Some(5.0 * S as f64),
        restart_ns: S / 2,
        warm_up_ns: 5 * S,
        span_ns: 30 * S,
        ..Settings::default()
    };
    Settings { offered_per_s: 0.8 * settings.workers_per_s(), ..settings }
}

#[test]
fn the_same_seed_gives_the_same_counts_and_another_seed_others() {
    let told = |seed| format!("{:?}", simulation::run(&Settings { seed, ..troubled() }));
    assert_eq!(told(1), told(1));
    assert_ne!(told(1), told(2));
}

/// That none is lost is looked at after each run, of all fleets: [`simulation::run`] panics if one is.
#[test]
fn whatever_goes_wrong_each_job_is_removed_once_or_still_there() {
    let tally = simulation::run(&troubled());
    assert!(tally.crashes > 0 && tally.redelivered > 0 && tally.refused > 0, "{tally:?}");
    assert!(tally.repeated > 0, "no ack was lost in a crash");
    assert!(tally.most_pending >= 400 && tally.most_waiting == 20, "a limit was not reached: {tally:?}");
    // All that is left behind is told by the growth.
    let left = tally.backlog[1] as f64 - tally.backlog[0] as f64;
    let published = tally.published as f64;
    assert!((published - tally.acked as f64 - left).abs() < 0.01 * published, "{tally:?}");
}

/// What a crash costs is what its node had in hand: by arithmetic, that many an hour and node.
#[test]
fn crashes_redeliver_what_their_nodes_had_in_hand() {
    let settings = Settings {
        nodes: 20,
        between_crashes_ns: Some(20.0 * S as f64),
        restart_ns: S,
        ack_wait_ns: 2 * S,
        warm_up_ns: 10 * S,
        span_ns: 400 * S,
        ..Settings::default()
    };
    let settings = Settings { offered_per_s: 0.5 * settings.workers_per_s(), ..settings };
    let tally = simulation::run(&settings);
    // By Little's law a node has in hand what comes to it in a second, by how long it stays.
    let in_hand = tally.present() / settings.nodes as f64;
    within(tally.redelivered as f64, tally.crashes as f64 * in_hand, 0.35);
}

#[test]
fn a_fleet_that_asks_for_more_than_its_stream_can_do_gets_what_the_stream_can_do() {
    let settings = Settings {
        nodes: 1_000,
        between_crashes_ns: None,
        max_waiting: 10_000,
        warm_up_ns: S,
        span_ns: 4 * S,
        ..Settings::default()
    };
    let settings = Settings { offered_per_s: 0.8 * settings.workers_per_s(), ..settings };
    assert!(settings.offered_per_s > 1.5 * settings.stream_per_s());
    let tally = simulation::run(&settings);
    within(tally.jobs_per_s(), settings.stream_per_s(), 0.15);
    within(tally.utilisation(), 1.0, 0.001);
}
