//! HTTP over keep-alive connections: a contender serves in this process, and a client of ours asks from another. All
//! answer the same requests with the same bytes.

mod asking;
mod balance;
mod client;
mod http;
mod load;
mod order;
mod workers;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::Workload;
use super::steps::steps_in;
use crate::affinity::{cpus, keep_to_cpus_of};
use crate::measure::{Case, Failure, Outcome, check, metric};
use crate::stopwatch::Stopwatch;
use asking::Asking;
use balance::Balance;
pub(crate) use client::ask;
pub(crate) use http::{Asked, CONTENT_TYPE, HEAD_MOST_BYTES, answer};
use load::{HEAVY, Load};
pub(crate) use order::Order;
pub(crate) use workers::{Open, enter};

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[2, 4],
    fewest_workers: 2,
    variants: &["load=even", "load=many", "load=skewed", "load=scattered", "load=few", "load=few-due"],
    // Each with two workers or with four: all with both would take a minute more.
    most_runs: |case, _| {
        let wants_four = matches!(case.variant, "load=many" | "load=few" | "load=few-due");
        let is_left_out = match case.workers {
            2 => wants_four,
            4 => !wants_four,
            _ => false,
        };
        if is_left_out { 0 } else { usize::MAX }
    },
    ..Workload::new(
        "serve",
        "HTTP requests on keep-alive connections: 64, 256 or 8 that are alike, or 8 heavy ones among 56 light ones",
    )
};

/// For the connections of a draw to end once their client has closed them.
const ENDS_WITHIN: Duration = Duration::from_secs(5);

/// A server that answers as [`answer`] does, on each of its connections until the client closes it.
pub(crate) trait Server: Sized {
    /// Whether a connection stays with the worker that it began on. If not, nothing is to be told of how many each has.
    const KEEPS_CONNECTIONS: bool = true;

    /// Starts it, at a port that nobody uses. Each of its workers calls [`enter`] first, and each task that serves a
    /// connection holds an [`Open`]. It serves until it is dropped, or the process ends.
    fn start(workers: usize) -> io::Result<(Self, SocketAddr)>;
}

pub(crate) fn run<S: Server>(case: Case) -> Outcome {
    let (cpus, heavy_steps) = (cpus(), steps_in(HEAVY));
    // Threads that are not bound leave the client its CPUs too.
    keep_to_cpus_of(case.workers);
    let (server, address) =
        S::start(case.workers).map_err(|error| format!("it cannot be started: {error}"))?;
    let order = Order::of(case, heavy_steps, &cpus, address);
    let load = Load::of(case, order.server_cpus)?;
    let mut client = Asking::start(&order)?;
    let mut balance = Balance::new(case.workers, S::KEEPS_CONNECTIONS);
    let mut cpu = Duration::ZERO;
    for _ in 0..load.draws {
        client.expect("ready")?;
        let (stopwatch, before) = (Stopwatch::start(), workers::sample()?);
        client.go_on()?;
        client.expect("done")?;
        let (lap, after) = (stopwatch.stop(), workers::sample()?);
        client.go_on()?;
        cpu += lap.cpu;
        balance.add(&before, &after, load.connections())?;
        client.expect("closed")?;
        check("whether all connections have ended", workers::wait_for_ends(ENDS_WITHIN), true)?;
        client.go_on()?;
    }
    let mut metrics = client.metrics()?;
    let requests = metrics.pop().ok_or("the client tells nothing")?.value;
    metrics.push(metric("cpu", cpu.as_nanos() as f64 / requests, "ns/request"));
    metrics.extend(balance.metrics());
    drop(server);
    Ok(metrics)
}

/// What the client says it could not do is the server's fault.
fn wrong(what: String) -> Failure {
    Failure::Wrong(format!("client: {what}"))
}
