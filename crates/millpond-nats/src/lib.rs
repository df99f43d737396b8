//! NATS JetStream as the queue between millpond pools: when one machine is outgrown, jobs wait in a stream, and pools on any
//! number of machines consume them.
//!
//! ```no_run
//! use millpond_nats::{Client, Consumer, Failure, Job, Publisher};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize)]
//! struct Resize { path: String, width: u32 }
//!
//! # async fn resize(_: Resize) -> std::io::Result<()> { Ok(()) }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = millpond::Pool::builder().build()?;
//! pool.block_on(async {
//!     let client = Client::connect("nats://localhost:4222").await?;
//!     client.create_work_queue("JOBS", ["jobs.>"]).await?;
//!
//!     // On one machine:
//!     let publisher = Publisher::builder(&client).build()?;
//!     publisher.publish("jobs.resize", &Resize { path: "cat.jpg".into(), width: 640 }).await?.await?;
//!
//!     // On any number of others, all by the name `resizers`:
//!     let consumer = Consumer::builder(&client, "JOBS", "resizers")
//!         .run(&pool, |job: Job| async move {
//!             resize(job.decode()?).await?;
//!             Ok::<(), Failure>(())
//!         })
//!         .await?;
//!     // … until the process is to end:
//!     println!("{:?}", consumer.stop().await);
//!     Ok(())
//! })
//! # }
//! ```
//!
//! # What becomes of a message
//!
//! | the handler | the message |
//! |---|---|
//! | returns `Ok` | is acked, and gone from a work queue |
//! | returns an error, or panics | comes again after the [backoff](ConsumerBuilder::backoff), up to [`max_deliver`](ConsumerBuilder::max_deliver) times; then it goes to the [dead letters](ConsumerBuilder::dead_letters), with its headers, the reason and the number of its tries |
//! | returns [`Poison`] or a [`DecodeError`] | goes to the dead letters at once |
//! | takes longer than [`ack_wait`](ConsumerBuilder::ack_wait) | stays its own: the server is told in time, from another thread |
//! | has not begun when the consumer stops | goes back, and others get it at once |
//! | still runs at the stop's deadline | goes back too, and its job is aborted |
//! | dies with its process | comes again, to whoever is there, after `ack_wait` |
//!
//! How many messages a consumer takes follows from what its pool gets through: some 50 ms of work wait here, and the rest
//! stays in the stream, where others find it.
//!
//! # Which server
//!
//! 2.9 or later; 2.12 or later is recommended. A 2.9 that is killed (SIGKILL, a power cut) forgets acks of its last moments:
//! such messages come once more, and some of them may stay in its stream for good. JetStream writes to disk every two minutes
//! unless told `sync_interval: always`, which costs a factor of thirty to forty; what a machine's crash may lose is therefore up
//! to the number of replicas.
//!
//! How large a fleet one stream carries, and what to do beyond that, with figures:
//! [how large a fleet](https://docs.rs/crate/millpond-nats/latest/source/docs/fleet.md).
//!
//! # What it is not
//!
//! Ordered: messages run side by side. Exactly-once: a process that dies between a job's effect and its ack leaves a message
//! that runs again; store the effect under [`Job::sequence`] or [`Job::message_id`], and the second time changes nothing. The
//! core crate, `millpond`, knows nothing of any of this: tokio, which `async-nats` needs, runs on one thread of this crate's.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod codec;
mod consumer;
mod delivery;
mod error;
mod failure;
pub mod headers;
mod job;
mod publisher;
mod reply;

pub use async_nats;
pub use client::{Client, ClientBuilder};
pub use codec::{Codec, DecodeError, DecodeErrorKind, EncodeError, decode};
pub use consumer::{Consumer, ConsumerBuilder, ConsumerMetrics, End, Receipt};
pub use error::{ConnectError, ConsumerError};
pub use failure::{Failure, Poison};
pub use job::Job;
pub use publisher::{
    PublishAllError, PublishError, PublishReceipt, Published, Publisher, PublisherBuilder, PublisherError,
    PublisherMetrics, Publishing,
};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
