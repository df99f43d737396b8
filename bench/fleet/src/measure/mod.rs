//! What a real server spends on a message: CPU time of all its threads, and how many a second it gets through.
//!
//! On loopback, with file storage, on one server or on a cluster, of which the busiest counts. The CPU time is the server's
//! alone, whoever else is on the machine; the rates are shared with the client, and with all that the machine does beside.

mod beside;
mod client;
mod server;
mod spent;
mod traffic;
mod waiting;

use self::traffic::Bench;
use crate::settings::Settings;

/// Enough for a hundred ticks of the clock that CPU time is told by.
const MESSAGES: usize = 200_000;
/// Requests on an empty stream.
const PULLS: usize = 50_000;

/// Measures, and prints what came of it.
pub(crate) fn run(replicas: usize) -> Result<(), String> {
    let bench = Bench::start(replicas)?;
    let publish = bench.fresh().and_then(|()| bench.spent(|| bench.publish(MESSAGES)))?;
    println!("{}", publish.line("publish, 1,000 under way", MESSAGES));
    let consume = bench.spent(|| bench.consume(MESSAGES, true).map(drop))?;
    println!("{}", consume.line("pull by 500, deliver, ack", MESSAGES));

    bench.fresh().and_then(|()| bench.publish(MESSAGES))?;
    let mut replies = Vec::new();
    let deliver = bench.spent(|| bench.consume(MESSAGES, false).map(|got| replies = got))?;
    println!("{}", deliver.line("pull by 500, deliver, no ack", MESSAGES));
    let ack = bench.spent(|| bench.acks(&replies))?;
    println!("{}", ack.line("the acks, afterwards", MESSAGES));

    bench.fresh()?;
    let both = bench.spent(|| bench.both(MESSAGES))?;
    println!("{}", both.line("publish, pull by 500, deliver, ack, at the same time", MESSAGES));
    let pulls = bench.spent(|| bench.empty_pulls(PULLS))?;
    println!("{}", pulls.line("a pull request that finds nothing and does not wait", PULLS));
    waiting::run(&bench)?;

    // Apart they cost less than together, and together is how a queue is used.
    let apart = [publish, deliver, ack].map(|spent| spent.us(MESSAGES));
    let together = both.us(MESSAGES) / apart.iter().sum::<f64>();
    let [publish_us, deliver_us, ack_us] = apart.map(|us| us * together);
    let pull_us = pulls.us(PULLS);
    println!(
        "\n--publish-us {publish_us:.2} --deliver-us {deliver_us:.2} --ack-us {ack_us:.2} --pull-us {pull_us:.2}"
    );
    Ok(())
}

/// Runs a fleet on a real server, beside its simulation.
pub(crate) fn beside(settings: &Settings, load: f64) -> Result<(), String> {
    beside::run(&Bench::start(1)?, settings, load)
}
