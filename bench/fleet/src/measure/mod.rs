//! What a real server spends on a message: CPU time of all its threads, and how many a second it gets through.
//!
//! On loopback, with file storage, on one server or on a cluster, of which the busiest counts. The CPU time is the server's alone, whoever else is on the machine; the rates
//! are shared with the client, and with all that the machine does beside.

mod client;
mod server;

use std::time::{Duration, Instant};
use std::{io, thread};

use serde_json::json;

use self::client::{Client, failed};
use self::server::Servers;

const STREAM: &str = "FLEET";
const SUBJECT: &str = "fleet.job";
const CONSUMER: &str = "workers";

/// Enough for a hundred ticks of the clock that CPU time is told by.
const MESSAGES: usize = 200_000;
const PAYLOAD: [u8; 32] = [b'x'; 32];
/// Messages that a publisher has under way, and that one request asks for.
const WINDOW: usize = 1_000;
const BATCH: usize = 500;
/// Requests on an empty stream.
const PULLS: usize = 50_000;
/// Requests that wait while messages come one by one, and how many messages.
const WAITING: [usize; 4] = [1, 100, 1_000, 10_000];
const SINGLE_MESSAGES: usize = 50_000;
/// Two heartbeats of each.
const IDLE_S: f64 = 11.0;

/// A cluster that has no leader after so long gets none.
const LEADER_LIMIT: Duration = Duration::from_secs(20);

/// CPU time of the busiest server, and wall time.
#[derive(Debug, Clone, Copy)]
struct Spent {
    cpu_s: f64,
    wall_s: f64,
}

impl Spent {
    /// Of the server's CPU, for each of `count`.
    fn us(self, count: usize) -> f64 {
        self.cpu_s * 1e6 / count as f64
    }

    fn line(self, what: &str, count: usize) -> String {
        let rate = count as f64 / self.wall_s;
        format!(
            "{what:<58} {:>7.2} us of CPU {:>9.0}/s {:>5.2} cores",
            self.us(count),
            rate,
            self.cpu_s / self.wall_s
        )
    }
}

/// Measures, and prints what came of it.
pub(crate) fn run(replicas: usize) -> Result<(), String> {
    let bench = Bench { servers: Servers::start(replicas)?, replicas };
    bench.has_a_leader()?;
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
    for waiting in WAITING {
        bench.waiting(waiting)?;
    }

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

#[derive(Debug)]
struct Bench {
    servers: Servers,
    replicas: usize,
}

impl Bench {
    fn client(&self) -> Result<Client, String> {
        Client::connect(self.servers.address)
    }

    fn spent(&self, what: impl FnOnce() -> Result<(), String>) -> Result<Spent, String> {
        let (before, begun) = (self.servers.cpu_s()?, Instant::now());
        what()?;
        let wall_s = begun.elapsed().as_secs_f64();
        let after = self.servers.cpu_s()?;
        let cpu_s = before.iter().zip(after).map(|(before, after)| after - before).fold(0.0, f64::max);
        Ok(Spent { cpu_s, wall_s })
    }

    /// Returns when the server, or the cluster, can make a stream.
    fn has_a_leader(&self) -> Result<(), String> {
        let begun = Instant::now();
        while let Err(error) = self.fresh() {
            if begun.elapsed() > LEADER_LIMIT {
                return Err(error);
            }
            // The next look: the limit ends them.
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }

    /// An empty stream and its consumer.
    fn fresh(&self) -> Result<(), String> {
        let mut client = self.client()?;
        let _ = client.ask(&format!("STREAM.DELETE.{STREAM}"), &json!({}));
        let stream = json!({"name": STREAM, "subjects": [SUBJECT], "retention": "workqueue", "storage": "file", "num_replicas": self.replicas});
        client.ask(&format!("STREAM.CREATE.{STREAM}"), &stream)?;
        let config = json!({
            "durable_name": CONSUMER,
            "ack_policy": "explicit",
            "max_ack_pending": -1,
            "max_waiting": 2 * WAITING[WAITING.len() - 1],
        });
        let consumer = json!({"stream_name": STREAM, "config": config});
        client.ask(&format!("CONSUMER.DURABLE.CREATE.{STREAM}.{CONSUMER}"), &consumer).map(drop)
    }

    /// So many messages, each acked by the server.
    fn publish(&self, count: usize) -> Result<(), String> {
        let mut client = self.client()?;
        let inbox = client.inbox("published");
        let mut published = || -> io::Result<()> {
            let mut answered = 0;
            for sent in 0..count {
                client.publish(SUBJECT, &inbox, &PAYLOAD)?;
                while sent + 1 - answered >= WINDOW {
                    client.flush()?;
                    for _ in 0..WINDOW / 2 {
                        client.receive()?;
                    }
                    answered += WINDOW / 2;
                }
            }
            client.flush()?;
            (answered..count).try_for_each(|_| client.receive().map(drop))
        };
        published().map_err(failed)
    }

    /// So many messages, and where their acks go; `ack`: acked at once.
    fn consume(&self, count: usize, ack: bool) -> Result<Vec<String>, String> {
        let mut client = self.client()?;
        let mut replies = Vec::with_capacity(if ack { 0 } else { count });
        let mut consumed = || -> io::Result<()> {
            // Two requests at a time: the server never waits for the next one.
            ask_for(&mut client, BATCH, 0)?;
            ask_for(&mut client, BATCH, 1)?;
            client.flush()?;
            for got in 1..=count {
                let arrived = message(&mut client)?;
                if ack {
                    client.publish(&arrived.reply, "", b"+ACK")?;
                } else {
                    replies.push(arrived.reply);
                }
                if got % BATCH == 0 {
                    ask_for(&mut client, BATCH, got)?;
                    client.flush()?;
                }
            }
            client.flush()
        };
        consumed().map_err(failed)?;
        if ack {
            self.all_acked(&mut client)?;
        }
        Ok(replies)
    }

    fn acks(&self, replies: &[String]) -> Result<(), String> {
        let mut client = self.client()?;
        for reply in replies {
            client.publish(reply, "", b"+ACK").map_err(failed)?;
        }
        client.flush().map_err(failed)?;
        self.all_acked(&mut client)
    }

    /// Returns when the server has taken all acks: it takes them in order, so it is asked until it says so.
    fn all_acked(&self, client: &mut Client) -> Result<(), String> {
        loop {
            let info = client.ask(&format!("CONSUMER.INFO.{STREAM}.{CONSUMER}"), &json!({}))?;
            if info["num_ack_pending"] == 0 {
                return Ok(());
            }
            // The next look; a server that loses acks is ended by whoever waits for this program.
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn both(&self, count: usize) -> Result<(), String> {
        thread::scope(|scope| {
            let publisher = scope.spawn(|| self.publish(count));
            let consumed = self.consume(count, true).map(drop);
            // It ends when its messages are answered, or at the limit of a wait for one.
            publisher.join().expect("the publisher does not panic").and(consumed)
        })
    }

    /// Requests that are answered by `404 No Messages`.
    fn empty_pulls(&self, count: usize) -> Result<(), String> {
        self.fresh()?;
        let mut client = self.client()?;
        let mut pulled = || -> io::Result<()> {
            let inbox = client.inbox("empty");
            for _ in 0..count / BATCH {
                for _ in 0..BATCH {
                    client.publish(&next_subject(), &inbox, br#"{"batch":10,"no_wait":true}"#)?;
                }
                client.flush()?;
                for _ in 0..BATCH {
                    client.receive()?;
                }
            }
            Ok(())
        };
        pulled().map_err(failed)
    }

    /// So many requests wait: what they cost to send, to keep, and beside each message.
    fn waiting(&self, waiting: usize) -> Result<(), String> {
        self.fresh()?;
        let mut client = self.client()?;
        let sent = self.spent(|| {
            let sent = (0..waiting).try_for_each(|which| ask_for(&mut client, 1 << 20, which));
            sent.and_then(|()| client.flush()).map_err(failed)?;
            let info = client.ask(&format!("CONSUMER.INFO.{STREAM}.{CONSUMER}"), &json!({}))?;
            let there = info["num_waiting"].as_u64();
            if there == Some(waiting as u64) {
                Ok(())
            } else {
                Err(failed(format!("{there:?} requests wait")))
            }
        })?;
        println!("{}", sent.line(&format!("each of {waiting} pull requests that wait"), waiting));
        let idle = self.spent(|| {
            thread::sleep(Duration::from_secs_f64(IDLE_S));
            Ok(())
        })?;
        println!(
            "{:<58} {:>7.2} % of a core",
            format!("{waiting} of them waiting"),
            idle.cpu_s / idle.wall_s * 100.0
        );
        let beside = self.spent(|| {
            thread::scope(|scope| {
                let publisher = scope.spawn(|| self.publish(SINGLE_MESSAGES));
                let received: io::Result<()> = (0..SINGLE_MESSAGES).try_for_each(|got| {
                    let arrived = message(&mut client)?;
                    client.publish(&arrived.reply, "", b"+ACK")?;
                    if got % WINDOW == 0 { client.flush() } else { Ok(()) }
                });
                received.and_then(|()| client.flush()).map_err(failed)?;
                // As in `both`.
                publisher.join().expect("the publisher does not panic")
            })
        })?;
        println!(
            "{}",
            beside.line(&format!("publish, deliver, ack beside {waiting} that wait"), SINGLE_MESSAGES)
        );
        Ok(())
    }
}

/// The next message, past what the server has to say.
fn message(client: &mut Client) -> io::Result<client::Arrived> {
    loop {
        let arrived = client.receive()?;
        if arrived.status.is_none() && !arrived.reply.is_empty() {
            return Ok(arrived);
        }
    }
}

/// A request that waits, to an inbox of its own, as each consumer has one.
fn ask_for(client: &mut Client, batch: usize, which: usize) -> io::Result<()> {
    let request = format!(r#"{{"batch":{batch},"expires":60000000000,"idle_heartbeat":5000000000}}"#);
    let inbox = client.inbox(&format!("got.{which}"));
    client.publish(&next_subject(), &inbox, request.as_bytes())
}

fn next_subject() -> String {
    format!("$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{CONSUMER}")
}
