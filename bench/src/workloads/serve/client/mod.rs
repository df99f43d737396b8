//! The client: a process of its own, so that its CPU time is not the server's. It checks every answer.

mod connection;
mod pacing;
mod share;

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use super::super::random::mixed;
use super::Order;
use super::http::Exchange;
use super::load::{Load, Pace};
use crate::affinity::pin;
use crate::child;
use crate::measure::{Metric, RATE_UNIT, metric, micros};
use crate::stopwatch::Stopwatch;
use connection::Connection;
use pacing::Part;
use share::Share;

/// The whole of the client's process: measures, and writes one line.
pub(crate) fn ask(order: &Order) -> ExitCode {
    match measured(order) {
        Ok(metrics) => {
            println!("{}", child::line(&metrics));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measured(order: &Order) -> Result<Vec<Metric>, String> {
    let load = Load::of(order.case, order.server_cpus)?;
    let mut sum = Part::new();
    let mut cpu = Duration::ZERO;
    for draw in 0..load.draws as u64 {
        let mut shares = open(order, &load, draw)?;
        phase(order, &load, &mut shares, load.warm_up, mixed(draw))?;
        tell("ready")?;
        let stopwatch = Stopwatch::start();
        let part = phase(order, &load, &mut shares, load.recorded, draw)?;
        cpu += stopwatch.stop().cpu;
        sum.add(&part);
        tell("done")?;
        drop(shares);
        tell("closed")?;
    }
    Ok(metrics(&load, &sum, cpu))
}

/// Says how far it is, and waits until the server's process has taken note.
fn tell(word: &str) -> Result<(), String> {
    println!("{word}");
    io::stdout().flush().map_err(|error| error.to_string())?;
    let mut line = String::new();
    // Ended by a line, or by the end of the server's process.
    match io::stdin().lock().read_line(&mut line) {
        Ok(length) if length > 0 => Ok(()),
        _ => Err("the server's process is gone".to_owned()),
    }
}

/// Opens all connections, one after the other, and shares them out to the threads.
fn open(order: &Order, load: &Load, draw: u64) -> Result<Vec<Share>, String> {
    let (heavy, light) = (Exchange::of(order.heavy_steps), Exchange::of(0));
    let one = |is_heavy| {
        let exchange = if is_heavy { heavy.clone() } else { light.clone() };
        Connection::open(order.address, exchange, is_heavy)
    };
    let mut connections = load.heaviness(draw).into_iter().map(one).collect::<Result<Vec<_>, _>>()?;
    connections.iter_mut().try_for_each(Connection::introduce)?;
    let mut numbered: Vec<(u64, Connection)> = (0u64..).zip(connections).collect();
    // By chance, or a server that deals out connections in turn would have each worker's at one of our threads. But as many
    // heavy ones to each thread.
    numbered.sort_by_key(|(number, connection)| (connection.is_heavy, mixed(number ^ mixed(!draw))));
    let mut shares: Vec<Vec<Connection>> = order.client_cpus.iter().map(|_| Vec::new()).collect();
    let threads = shares.len();
    for (index, (_, connection)) in numbered.into_iter().enumerate() {
        shares[index % threads].push(connection);
    }
    shares.into_iter().map(Share::of).collect()
}

/// Asks for so long, on a thread for each share and CPU.
fn phase(
    order: &Order,
    load: &Load,
    shares: &mut [Share],
    length: Duration,
    seed: u64,
) -> Result<Part, String> {
    let start = Instant::now();
    let parts: Result<Vec<Part>, String> = thread::scope(|scope| {
        let spawn = |(index, (share, cpu)): (u64, (_, usize))| {
            scope.spawn(move || {
                pin(Some(cpu));
                pacing::run(share, load.pace, start, length, mixed(seed) ^ index)
            })
        };
        let threads = (0u64..).zip(shares.iter_mut().zip(order.client_cpus.iter().copied())).map(spawn);
        let threads: Vec<_> = threads.collect();
        // Each ended by its last answer.
        threads.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
    });
    let mut sum = Part::new();
    parts?.iter().for_each(|part| sum.add(part));
    Ok(sum)
}

/// By it a worker that falls behind shows.
const TAIL: &str = "p99";

/// The figure of that name comes before the others.
fn first(name: &str, mut metrics: Vec<Metric>) -> Vec<Metric> {
    metrics.sort_by_key(|metric| metric.name != name);
    metrics
}

/// The figure that the load is about first; the number of requests last, for the server's process.
fn metrics(load: &Load, sum: &Part, cpu: Duration) -> Vec<Metric> {
    let seconds = load.recorded.as_secs_f64() * load.draws as f64;
    let requests = sum.in_time as f64;
    let latencies = sum.all.metrics();
    let mut metrics = match load.pace {
        Pace::Closed => {
            let rate = metric("rate", requests / seconds, RATE_UNIT);
            [metric("wall", seconds * 1e9 / requests, "ns/request"), rate]
                .into_iter()
                .chain(latencies)
                .collect()
        }
        Pace::Open { .. } => first(TAIL, latencies),
    };
    if load.heavy > 0 && load.light > 0 {
        metrics.push(micros("light p99", sum.light.percentile(99.0)));
    }
    if let Pace::Open { .. } = load.pace {
        metrics.push(micros("client p99", sum.lateness.percentile(99.0)));
    }
    metrics.push(metric("client cpu", cpu.as_nanos() as f64 / requests, "ns/request"));
    metrics.push(metric("requests", requests, ""));
    metrics
}
