//! NATS JetStream as the queue between millpond pools.

mod client;
mod error;

pub use async_nats;
pub use client::{Client, ClientBuilder};
pub use error::ConnectError;
