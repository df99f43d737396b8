//! Messages through a real server: published, pulled, acked.

use std::time::{Duration, Instant};
use std::{io, thread};

use serde_json::json;

use super::client::{Arrived, Client, failed};
use super::server::Servers;
use super::spent::Spent;

pub(super) const STREAM: &str = "FLEET";
pub(super) const SUBJECT: &str = "fleet.job";
pub(super) const CONSUMER: &str = "workers";
/// More than ever wait here.
const MAX_WAITING: usize = 20_000;

const PAYLOAD: [u8; 32] = [b'x'; 32];
/// Messages that a publisher has under way, and that one request asks for.
pub(super) const WINDOW: usize = 1_000;
const BATCH: usize = 500;

/// A cluster that has no leader after so long gets none.
const LEADER_LIMIT: Duration = Duration::from_secs(20);

/// A stream and its consumer on servers that run, and what can be sent through them.
#[derive(Debug)]
pub(super) struct Bench {
    servers: Servers,
    replicas: usize,
}

impl Bench {
    /// Returns when a stream is there.
    pub(super) fn start(replicas: usize) -> Result<Self, String> {
        let bench = Bench { servers: Servers::start(replicas)?, replicas };
        bench.has_a_leader()?;
        Ok(bench)
    }

    pub(super) fn client(&self) -> Result<Client, String> {
        Client::connect(self.servers.address)
    }

    pub(super) fn spent(&self, what: impl FnOnce() -> Result<(), String>) -> Result<Spent, String> {
        let (before, begun) = (self.servers.cpu_s()?, Instant::now());
        what()?;
        let wall_s = begun.elapsed().as_secs_f64();
        let after = self.servers.cpu_s()?;
        let cpu_s = before.iter().zip(after).map(|(before, after)| after - before).fold(0.0, f64::max);
        Ok(Spent { cpu_s, wall_s })
    }

    /// Returns when the server, or the cluster, can make a stream.
    pub(super) fn has_a_leader(&self) -> Result<(), String> {
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
    pub(super) fn fresh(&self) -> Result<(), String> {
        let mut client = self.client()?;
        let _ = client.ask(&format!("STREAM.DELETE.{STREAM}"), &json!({}));
        let stream = json!({"name": STREAM, "subjects": [SUBJECT], "retention": "workqueue", "storage": "file", "num_replicas": self.replicas});
        client.ask(&format!("STREAM.CREATE.{STREAM}"), &stream)?;
        let config = json!({
            "durable_name": CONSUMER,
            "ack_policy": "explicit",
            "max_ack_pending": -1,
            "max_waiting": MAX_WAITING,
        });
        let consumer = json!({"stream_name": STREAM, "config": config});
        client.ask(&format!("CONSUMER.DURABLE.CREATE.{STREAM}.{CONSUMER}"), &consumer).map(drop)
    }

    /// So many messages, each acked by the server.
    pub(super) fn publish(&self, count: usize) -> Result<(), String> {
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
    pub(super) fn consume(&self, count: usize, ack: bool) -> Result<Vec<String>, String> {
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

    pub(super) fn acks(&self, replies: &[String]) -> Result<(), String> {
        let mut client = self.client()?;
        for reply in replies {
            client.publish(reply, "", b"+ACK").map_err(failed)?;
        }
        client.flush().map_err(failed)?;
        self.all_acked(&mut client)
    }

    /// Returns when the server has taken all acks: it takes them in order, so it is asked until it says so.
    pub(super) fn all_acked(&self, client: &mut Client) -> Result<(), String> {
        loop {
            let info = client.ask(&format!("CONSUMER.INFO.{STREAM}.{CONSUMER}"), &json!({}))?;
            if info["num_ack_pending"] == 0 {
                return Ok(());
            }
            // The next look; a server that loses acks is ended by whoever waits for this program.
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn both(&self, count: usize) -> Result<(), String> {
        thread::scope(|scope| {
            let publisher = scope.spawn(|| self.publish(count));
            let consumed = self.consume(count, true).map(drop);
            // It ends when its messages are answered, or at the limit of a wait for one.
            publisher.join().expect("the publisher does not panic").and(consumed)
        })
    }

    /// Requests that are answered by `404 No Messages`.
    pub(super) fn empty_pulls(&self, count: usize) -> Result<(), String> {
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
}

/// The next message, past what the server has to say.
pub(super) fn message(client: &mut Client) -> io::Result<Arrived> {
    loop {
        let arrived = client.receive()?;
        if is_message(&arrived) {
            return Ok(arrived);
        }
    }
}

/// A delivery, and no word of the server's.
pub(super) fn is_message(arrived: &Arrived) -> bool {
    arrived.status.is_none() && !arrived.reply.is_empty()
}

/// A request that waits, to an inbox of its own, as each consumer has one.
pub(super) fn ask_for(client: &mut Client, batch: usize, which: usize) -> io::Result<()> {
    let request = format!(r#"{{"batch":{batch},"expires":60000000000,"idle_heartbeat":5000000000}}"#);
    let inbox = client.inbox(&format!("got.{which}"));
    client.publish(&next_subject(), &inbox, request.as_bytes())
}

pub(super) fn next_subject() -> String {
    format!("$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{CONSUMER}")
}
