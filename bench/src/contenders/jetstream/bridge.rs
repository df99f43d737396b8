//! What monoio's users write by hand: async-nats on a tokio thread of its own, a channel, and a monoio loop on each worker,
//! which handles a message and acks it.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Instant;

use async_nats::Client;
use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::pull::Stream as Messages;
use futures_lite::{StreamExt, future};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use super::alone::messages;
use crate::affinity::spawn_bound;
use crate::contenders::monoio::runtime;
use crate::workloads::jetstream::{Consumer, Work, failed};

/// Between the client's thread and the workers.
const CAPACITY: usize = 4_096;

/// Of messages handed over together: what is there, and at most so many.
const CHUNK: usize = 64;

/// On a channel `L`, of items `I`.
pub(super) struct Bridge<L, I> {
    client: Client,
    /// Runs on the thread that consumes, and hands over.
    runtime: Runtime,
    workers: usize,
    kind: PhantomData<fn() -> (L, I)>,
}

/// The channel.
pub(super) trait Link: 'static {
    type Sender<I: Send + 'static>: Send + 'static;
    type Receiver<I: Send + 'static>: Clone + Send + 'static;

    fn open<I: Send + 'static>() -> (Self::Sender<I>, Self::Receiver<I>);

    /// Waits for room.
    fn send<I: Send + 'static>(sender: &Self::Sender<I>, item: I) -> impl Future<Output = ()>;

    /// `None` when the senders are gone and nothing is left.
    fn receive<I: Send + 'static>(receiver: &Self::Receiver<I>) -> impl Future<Output = Option<I>>;
}

/// What is handed over at a time.
pub(super) trait Item: IntoIterator<Item = Message> + Send + Sized + 'static {
    fn count(&self) -> usize;

    /// Waits for one message. With it comes what the item has room for, and what is there.
    fn gather(messages: &mut Messages) -> impl Future<Output = Result<Self, String>>;
}

pub(super) type One = [Message; 1];
pub(super) type Chunk = Vec<Message>;

impl<L: Link, I: Item> Consumer for Bridge<L, I> {
    fn start(server: &str, workers: usize) -> Result<Self, String> {
        let runtime = Builder::new_current_thread().enable_all().build().expect("the runtime starts");
        let client = runtime.block_on(async_nats::connect(server)).map_err(failed("connect"))?;
        Ok(Bridge { client, runtime, workers, kind: PhantomData })
    }

    fn consume(&mut self, work: &Arc<Work>) -> Result<Instant, String> {
        let (sender, receiver) = L::open::<I>();
        let (works, mut all_ended) = mpsc::channel::<()>(1);
        let handled = Arc::clone(work);
        let threads = spawn_bound(self.workers, move |_| {
            // Tells of this worker's end by its drop.
            let _works = works.clone();
            runtime().block_on(handle::<L, I>(receiver.clone(), &handled));
        });
        let end = self.runtime.block_on(async {
            hand_over::<L, I>(&self.client, sender, work.messages()).await?;
            // Ended by the workers' ends, when they have acked all.
            let _ = all_ended.recv().await;
            self.client.flush().await.map_err(failed("flush"))?;
            Ok(Instant::now())
        });
        threads.into_iter().for_each(|thread| thread.join().expect("the worker ends"));
        end
    }
}

async fn hand_over<L: Link, I: Item>(
    client: &Client,
    sender: L::Sender<I>,
    count: u64,
) -> Result<(), String> {
    let mut messages = messages(client).await?;
    let mut handed_over = 0;
    while handed_over < count {
        let item = I::gather(&mut messages).await?;
        handed_over += item.count() as u64;
        // Ended by a worker that receives.
        L::send(&sender, item).await;
    }
    Ok(())
}

async fn handle<L: Link, I: Item>(receiver: L::Receiver<I>, work: &Work) {
    // Ended by a message, or by the drop of the sender.
    while let Some(item) = L::receive(&receiver).await {
        for message in item {
            work.handle(&message.payload);
            message.ack().await.expect("the client lives");
        }
    }
}

impl Item for One {
    fn count(&self) -> usize {
        1
    }

    async fn gather(messages: &mut Messages) -> Result<Self, String> {
        // Ended by a message.
        Ok([messages.next().await.ok_or("the stream has ended")?.map_err(failed("pull"))?])
    }
}

impl Item for Chunk {
    fn count(&self) -> usize {
        self.len()
    }

    async fn gather(messages: &mut Messages) -> Result<Self, String> {
        let [first] = One::gather(messages).await?;
        let mut chunk = vec![first];
        while chunk.len() < CHUNK {
            // Never waits.
            let Some(Some(message)) = future::poll_once(messages.next()).await else { break };
            chunk.push(message.map_err(failed("pull"))?);
        }
        Ok(chunk)
    }
}

impl<L, I> fmt::Debug for Bridge<L, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bridge")
    }
}

#[derive(Debug)]
pub(super) struct Flume;

impl Link for Flume {
    type Sender<I: Send + 'static> = flume::Sender<I>;
    type Receiver<I: Send + 'static> = flume::Receiver<I>;

    fn open<I: Send + 'static>() -> (flume::Sender<I>, flume::Receiver<I>) {
        flume::bounded(CAPACITY)
    }

    async fn send<I: Send + 'static>(sender: &flume::Sender<I>, item: I) {
        assert!(sender.send_async(item).await.is_ok(), "the workers live");
    }

    async fn receive<I: Send + 'static>(receiver: &flume::Receiver<I>) -> Option<I> {
        receiver.recv_async().await.ok()
    }
}

#[derive(Debug)]
pub(super) struct AsyncChannel;

impl Link for AsyncChannel {
    type Sender<I: Send + 'static> = async_channel::Sender<I>;
    type Receiver<I: Send + 'static> = async_channel::Receiver<I>;

    fn open<I: Send + 'static>() -> (async_channel::Sender<I>, async_channel::Receiver<I>) {
        async_channel::bounded(CAPACITY)
    }

    async fn send<I: Send + 'static>(sender: &async_channel::Sender<I>, item: I) {
        assert!(sender.send(item).await.is_ok(), "the workers live");
    }

    async fn receive<I: Send + 'static>(receiver: &async_channel::Receiver<I>) -> Option<I> {
        receiver.recv().await.ok()
    }
}
