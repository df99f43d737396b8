//! NATS JetStream as the queue between millpond pools.

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
