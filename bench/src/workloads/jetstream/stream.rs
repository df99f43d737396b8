//! The stream, as the bench sees it: it publishes, and looks whether all has been acked.

use std::collections::VecDeque;
use std::fmt::Display;
use std::time::{Duration, Instant};

use async_nats::Client;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::{self, Context, stream};
use nix::time::{ClockId, clock_gettime};
use nix::unistd::Pid;
use tokio::runtime::{Builder, Runtime};

use super::work::payload;

pub(crate) const STREAM: &str = "JOBS";
/// The durable consumer.
pub(crate) const CONSUMER: &str = "workers";
const SUBJECT: &str = "jobs.bench";

/// Published and not yet stored: enough that the server never waits, and fewer than async-nats lets go.
const PUBLISHES_IN_FLIGHT: usize = 2_048;

/// Beyond what a contender has in flight, and millpond-nats' own default.
const MAX_ACK_PENDING: i64 = 100_000;

/// The server takes acks as they come, in milliseconds.
const EMPTY_LIMIT: Duration = Duration::from_secs(10);

pub(super) struct Stream {
    /// Runs while something is asked of it. Its connection is none of a contender's.
    runtime: Runtime,
    client: Client,
    context: Context,
}

impl Stream {
    pub(super) fn create(server: &str) -> Result<Self, String> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("the runtime starts");
        let (client, context) = runtime.block_on(async {
            let client = async_nats::connect(server).await.map_err(failed("connect"))?;
            let context = jetstream::new(client.clone());
            context.create_stream(config()).await.map_err(failed("create the stream"))?;
            Ok::<_, String>((client, context))
        })?;
        Ok(Stream { runtime, client, context })
    }

    /// Returns when all are stored.
    pub(super) fn publish(&self, messages: u64) -> Result<(), String> {
        self.runtime.block_on(async {
            let mut acks = VecDeque::new();
            for number in 0..messages {
                let ack = self.context.publish(SUBJECT, payload(number).into()).await;
                acks.push_back(ack.map_err(failed("publish"))?);
                if acks.len() >= PUBLISHES_IN_FLIGHT {
                    // The oldest; its end is the place of the next one.
                    acks.pop_front().expect("there are some").await.map_err(failed("publish"))?;
                }
            }
            for ack in acks {
                ack.await.map_err(failed("publish"))?;
            }
            Ok(())
        })
    }

    /// Returns when it is on its way.
    pub(super) fn publish_one(&self, number: u64) -> Result<(), String> {
        self.runtime.block_on(async {
            self.client.publish(SUBJECT, payload(number).into()).await.map_err(failed("publish"))?;
            // Ended by the connection's task, when it has written.
            self.client.flush().await.map_err(failed("flush"))
        })
    }

    /// Acked means removed, in a work queue.
    pub(super) fn wait_until_empty(&self) -> Result<(), String> {
        let started = Instant::now();
        self.runtime.block_on(async {
            let mut stream = self.context.get_stream(STREAM).await.map_err(failed("look at the stream"))?;
            loop {
                let left = stream.info().await.map_err(failed("look at the stream"))?.state.messages;
                if left == 0 {
                    return Ok(());
                }
                if started.elapsed() > EMPTY_LIMIT {
                    return Err(format!("{left} messages are left in the stream"));
                }
            }
        })
    }
}

/// For the contenders that set nothing else.
pub(crate) fn consumer_config() -> pull::Config {
    pull::Config {
        durable_name: Some(CONSUMER.to_owned()),
        ack_policy: AckPolicy::Explicit,
        max_ack_pending: MAX_ACK_PENDING,
        ..Default::default()
    }
}

fn config() -> stream::Config {
    stream::Config {
        name: STREAM.to_owned(),
        subjects: vec![SUBJECT.to_owned()],
        retention: stream::RetentionPolicy::WorkQueue,
        storage: stream::StorageType::File,
        ..Default::default()
    }
}

/// What the server has used of its CPUs.
pub(super) fn server_cpu(pid: Option<u32>) -> Result<Duration, String> {
    let pid = pid.ok_or("the server has ended")?;
    let clock =
        ClockId::pid_cpu_clock_id(Pid::from_raw(pid as i32)).map_err(failed("find the server's clock"))?;
    Ok(clock_gettime(clock).map_err(failed("read the server's clock"))?.into())
}

pub(crate) fn failed<E: Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("it cannot {what}: {error}")
}
