//! The simulation beside the real thing, at a size that one machine can do: the nodes are the simulation's own, whose jobs are
//! waits, and what they pull from is a real server.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::{Duration, Instant};
use std::{io, thread};

use super::client::{Client, failed};
use super::traffic::{Bench, SUBJECT, is_message, next_subject};
use crate::histogram::Histogram;
use crate::node::Node;
use crate::random::Random;
use crate::settings::{MS, S, Settings, US};
use crate::simulation;
use crate::stream::Message;

/// Nodes, and all that is shared, have settled by then.
const WARM_UP: Duration = Duration::from_secs(3);
/// There and back on loopback, with both ends awake.
const ROUND_TRIP_NS: u64 = 100 * US;
/// What a node waits for at most before it looks whether all is over.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the fleet of `settings` on a real server, and simulated, and prints both.
pub(super) fn run(bench: &Bench, settings: &Settings, load: f64) -> Result<(), String> {
    let settings = Settings {
        round_trip_ns: ROUND_TRIP_NS,
        ack_linger_ns: 0,
        warm_up_ns: WARM_UP.as_nanos() as u64,
        ..settings.clone()
    };
    let settings = Settings { offered_per_s: load * settings.workers_per_s(), ..settings };
    bench.fresh()?;
    let mut wait = Histogram::new();
    let spent = bench.spent(|| {
        wait = real(bench, &settings)?;
        Ok(())
    })?;
    let ms = |ns: u64| ns as f64 / MS as f64;
    let line = |what: &str, wait: &Histogram, busy: f64| {
        println!(
            "{what:<10} {:>8.0} jobs/s, wait p50 {:.2} ms, p99 {:.2} ms, server {:.1} % of a core",
            wait.count() as f64 * 1e9 / settings.span_ns as f64,
            ms(wait.quantile(0.5)),
            ms(wait.quantile(0.99)),
            busy * 100.0
        );
    };
    println!("{} consumers with {} workers, {load} of what they can do:", settings.nodes, settings.workers);
    line("measured", &wait, spent.cpu_s / spent.wall_s);
    let tally = simulation::run(&settings);
    line("simulated", &tally.wait, tally.utilisation());
    Ok(())
}

/// The waits of the span that counts.
fn real(bench: &Bench, settings: &Settings) -> Result<Histogram, String> {
    let begun = Instant::now();
    thread::scope(|scope| {
        let publisher = scope.spawn(move || publish(bench.client()?, settings, begun).map_err(failed));
        let nodes: Vec<_> = (0..settings.nodes as u32)
            .map(|node| scope.spawn(move || serve(bench.client()?, node, settings, begun).map_err(failed)))
            .collect();
        let mut wait = Histogram::new();
        // All end by the clock, a little after the span.
        for node in nodes {
            wait.add(&node.join().expect("a node does not panic")?);
        }
        publisher.join().expect("the publisher does not panic")?;
        Ok(wait)
    })
}

fn end(settings: &Settings) -> Duration {
    Duration::from_nanos(settings.warm_up_ns + settings.span_ns)
}

/// Publishes what falls due; each message tells when that was.
fn publish(mut client: Client, settings: &Settings, begun: Instant) -> io::Result<()> {
    let mut random = Random::fork(settings.seed, 0);
    let mut due_ns = 0.0;
    loop {
        due_ns += random.exponential(S as f64 / settings.offered_per_s);
        let due = Duration::from_nanos(due_ns as u64);
        if due >= end(settings) {
            return client.flush();
        }
        if let Some(rest) = due.checked_sub(begun.elapsed()) {
            client.flush()?;
            thread::sleep(rest);
        }
        client.publish(SUBJECT, "", &(due_ns as u64).to_le_bytes())?;
    }
}

/// One node: takes, waits out and acks its jobs until the end.
fn serve(mut client: Client, index: u32, settings: &Settings, begun: Instant) -> io::Result<Histogram> {
    let mut node = Node::new(index, settings.workers);
    let mut random = Random::fork(settings.seed, u64::from(index) + 2);
    let mut wait = Histogram::new();
    // Ends of jobs with their workers; where the acks go, by the messages' numbers.
    let mut ends: BinaryHeap<Reverse<(u64, u16)>> = BinaryHeap::new();
    let mut replies: HashMap<u64, String> = HashMap::new();
    let now = || begun.elapsed().as_nanos() as u64;
    // The first request comes before anything that could bring one about.
    ask(&mut client, &mut node, settings)?;
    for number in 0.. {
        // A job that began later than it could, as a thread was not woken in time, would be a job that takes longer. So
        // what was queued begins when the one before it ended, by the clock and not by when that was noticed.
        let mut free_ns = now();
        if let Some(&Reverse((end, worker))) = ends.peek().filter(|Reverse((end, _))| *end <= free_ns) {
            ends.pop();
            free_ns = end;
            let reply = replies.remove(&node.finish(worker).stored_ns);
            client.publish(&reply.unwrap_or_default(), "", b"+ACK")?;
        } else {
            client.flush()?;
            if begun.elapsed() >= end(settings) {
                break;
            }
            let next = ends.peek().map_or(u64::MAX, |Reverse((end, _))| *end);
            let rest = Duration::from_nanos(next.saturating_sub(now()));
            // Ended by a message, by the end of a job, or by the look whether all is over.
            if !client.has_arrived(LOOK.min(rest))? {
                continue;
            }
            let Some(arrived) = client.receive_line()?.filter(is_message) else { continue };
            let published_ns = arrived.payload.as_slice().try_into().map_or(0, u64::from_le_bytes);
            replies.insert(number, arrived.reply);
            node.received(Message { published_ns, stored_ns: number, delivered_ns: 0, done_before: false });
            free_ns = now();
        }
        while let Some((worker, message)) = node.start() {
            if free_ns >= settings.warm_up_ns {
                wait.record(free_ns.saturating_sub(message.published_ns));
            }
            ends.push(Reverse((free_ns + random.job_ns(settings.job), worker)));
        }
        ask(&mut client, &mut node, settings)?;
    }
    Ok(wait)
}

fn ask(client: &mut Client, node: &mut Node, settings: &Settings) -> io::Result<()> {
    let Some(pull) = node.ask(settings) else { return Ok(()) };
    let request = format!(r#"{{"batch":{},"expires":60000000000}}"#, pull.wanted);
    client.publish(&next_subject(), &client.inbox("got"), request.as_bytes())
}
