//! millpond-nats: a pool whose jobs are the messages.

use std::fmt;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_channel::oneshot;
use futures_lite::future::block_on;
use millpond_nats::{Client, Consumer as Consumes, Failure, Job};

use crate::workloads::jetstream::{CONSUMER, Consumer, STREAM, Work, failed};

/// All defaults.
pub(super) struct Millpond {
    client: Client,
    pool: millpond::Pool,
}

impl Consumer for Millpond {
    fn start(server: &str, workers: usize) -> Result<Self, String> {
        let pool =
            millpond::Pool::builder().worker_threads(workers).build().map_err(failed("start the pool"))?;
        let client = block_on(Client::connect(server)).map_err(failed("connect"))?;
        Ok(Millpond { client, pool })
    }

    fn consume(&mut self, work: &Arc<Work>) -> Result<Instant, String> {
        let (last, handled) = oneshot::channel();
        let (work, last) = (Arc::clone(work), Mutex::new(Some(last)));
        let messages = work.messages();
        let handler = move |job: Job| {
            if work.handle(job.payload()) {
                let last = last.lock().expect("nothing panics under the lock").take();
                // It is awaited below.
                let _ = last.map(|last| last.send(()));
            }
            ready(Ok::<(), Failure>(()))
        };
        block_on(async {
            let consumer = Consumes::builder(&self.client, STREAM, CONSUMER).run(&self.pool, handler).await;
            let consumer = consumer.map_err(failed("start the consumer"))?;
            // Ended by the last message's handler.
            handled.await.map_err(|_| "the consumer has ended")?;
            // Ended when what runs has been acked, and that is written.
            let receipt = consumer.stop().await;
            let end = Instant::now();
            if receipt.acked == messages { Ok(end) } else { Err(format!("{receipt:?}")) }
        })
    }
}

impl fmt::Debug for Millpond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Millpond")
    }
}
