//! A server with a work queue, and a client and a pool beside it.

use millpond::Pool;
use millpond_nats::{Client, Consumer, ConsumerBuilder, Job, Receipt};
use std::time::{Duration, Instant};

use super::{Server, Settings};

pub const STREAM: &str = "JOBS";
pub const DURABLE: &str = "workers";

pub struct Site {
    pub client: Client,
    pub pool: Pool,
    // Behind those that need it.
    pub server: Server,
}

impl Site {
    pub fn open(settings: Settings) -> Site {
        let server = settings.start();
        let pool = super::pool(2);
        let client = pool.block_on(Client::connect(server.url())).expect("it listens");
        let site = Site { client, pool, server };
        site.wait(site.client.create_work_queue(STREAM, ["jobs.>"])).expect("JetStream answers");
        site
    }

    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.pool.block_on(future)
    }

    /// Publishes `0` to `jobs.0`, `1` to `jobs.1` and so on. Returns when all are stored.
    pub fn publish(&self, count: usize) {
        let publish = self.client.on_thread(move |jetstream| async move {
            for number in 0..count {
                let ack = jetstream
                    .publish(format!("jobs.{number}"), number.to_string().into())
                    .await
                    .expect("it goes out");
                if number + 1 == count {
                    // The server stores them in order.
                    ack.await.expect("it is stored");
                }
            }
        });
        self.wait(publish);
    }

    /// Publishes one message, and waits for the server's word.
    pub fn try_publish(&self, payload: Vec<u8>) -> Result<(), String> {
        self.wait(self.client.on_thread(move |jetstream| async move {
            let ack =
                jetstream.publish("jobs.one", payload.into()).await.map_err(|error| error.to_string())?;
            ack.await.map(drop).map_err(|error| error.to_string())
        }))
    }

    /// With short delays, so that what goes wrong is tried again soon.
    pub fn consumer(&self) -> ConsumerBuilder {
        Consumer::builder(&self.client, STREAM, DURABLE).backoff([Duration::ZERO])
    }

    /// Messages that the stream of the jobs has.
    pub fn left(&self) -> u64 {
        self.left_in(STREAM)
    }

    pub fn left_in(&self, stream: &'static str) -> u64 {
        self.wait(self.client.on_thread(move |jetstream| async move {
            jetstream.get_stream(stream).await.expect("JetStream answers").cached_info().state.messages
        }))
    }

    /// Waits until all has been acked: an ack that the server has read takes effect a moment later.
    pub fn wait_until_empty(&self) {
        // Each look is a request; ended by the last ack.
        while self.left() > 0 {}
    }
}

/// The job's number.
pub fn number(job: &Job) -> usize {
    std::str::from_utf8(job.payload()).expect("text").parse().expect("a number")
}

/// What a job does: it keeps its worker busy for a while.
pub fn compute(time: Duration) {
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// All that was pulled has come to an end.
#[track_caller]
pub fn adds_up(receipt: &Receipt) {
    assert_eq!((receipt.pulled, receipt.in_flight()), (receipt.ended(), 0), "{receipt:?}");
}
