//! How each contender serves: the same requests and answers over the streams of its runtime.

mod hyper;
mod millpond;
mod monoio;
mod tokio;

pub(super) use hyper::TokioHyper;
pub(super) use millpond::{LeastConnections, Millpond, ReusePort, RoundRobin};
pub(super) use monoio::Monoio;
pub(super) use tokio::Tokio;
