//! async-nats as its documentation shows it, on tokio's multi-thread runtime.

use std::sync::Arc;
use std::time::Instant;

use async_nats::Client;
use async_nats::jetstream;
use async_nats::jetstream::consumer::PullConsumer;
use async_nats::jetstream::consumer::pull::Stream as Messages;
use futures_lite::StreamExt;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::workloads::jetstream::{Consumer, STREAM, Work, consumer_config, failed};

/// The best of 1, 10, 50, 200 (the default) and 1,000.
const PULL_BATCH: usize = 1_000;

/// Handlers that compute, at once: enough that no thread waits for its next one.
const TASKS_PER_WORKER: usize = 16;

#[derive(Debug)]
pub(super) struct Alone {
    runtime: Runtime,
    client: Client,
    workers: usize,
}

impl Consumer for Alone {
    fn start(server: &str, workers: usize) -> Result<Self, String> {
        let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build();
        let runtime = runtime.expect("the runtime starts");
        let client = runtime.block_on(async_nats::connect(server)).map_err(failed("connect"))?;
        Ok(Alone { runtime, client, workers })
    }

    fn consume(&mut self, work: &Arc<Work>) -> Result<Instant, String> {
        let (client, work, workers) = (self.client.clone(), Arc::clone(work), self.workers);
        // On a worker: from `block_on` each message would cross to a thread outside the runtime.
        let consumed = self.runtime.spawn(async move {
            let messages = messages(&client).await?;
            if work.is_short() {
                in_turn(messages, &work).await?
            } else {
                tasks(messages, &work, workers).await?
            }
            client.flush().await.map_err(failed("flush"))?;
            Ok(Instant::now())
        });
        self.runtime.block_on(consumed).expect("it does not panic")
    }
}

/// The messages of the stream, without end.
pub(super) async fn messages(client: &Client) -> Result<Messages, String> {
    let context = jetstream::new(client.clone());
    let consumer: PullConsumer = context
        .create_consumer_on_stream(consumer_config(), STREAM)
        .await
        .map_err(failed("create the consumer"))?;
    consumer.stream().max_messages_per_batch(PULL_BATCH).messages().await.map_err(failed("pull"))
}

/// The loop of async-nats' own examples.
async fn in_turn(mut messages: Messages, work: &Work) -> Result<(), String> {
    for _ in 0..work.messages() {
        // Ended by a message.
        let message = messages.next().await.ok_or("the stream has ended")?.map_err(failed("pull"))?;
        work.handle(&message.payload);
        message.ack().await.map_err(failed("ack"))?;
    }
    Ok(())
}

/// A task for each message, as many at once as a semaphore lets begin.
async fn tasks(mut messages: Messages, work: &Arc<Work>, workers: usize) -> Result<(), String> {
    let room = Arc::new(Semaphore::new(workers * TASKS_PER_WORKER));
    let mut tasks = JoinSet::new();
    for _ in 0..work.messages() {
        // Ended by a message, and by the end of a task.
        let message = messages.next().await.ok_or("the stream has ended")?.map_err(failed("pull"))?;
        let place = Arc::clone(&room).acquire_owned().await.expect("it is never closed");
        let work = Arc::clone(work);
        tasks.spawn(async move {
            work.handle(&message.payload);
            let acked = message.ack().await.map_err(failed("ack"));
            drop(place);
            acked
        });
    }
    // Ended by the tasks' ends.
    tasks.join_all().await.into_iter().collect()
}
