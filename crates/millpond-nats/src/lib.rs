//! NATS JetStream as the queue between millpond pools.

mod client;
mod codec;
mod error;
pub mod headers;

pub use async_nats;
pub use client::{Client, ClientBuilder};
pub use codec::{Codec, DecodeError, DecodeErrorKind, EncodeError, decode};
pub use error::ConnectError;
