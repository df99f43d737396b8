//! The page and its server. Files in the order in which a request meets them.

mod builder;
mod connection;
mod dashboard;
mod error;
mod events;
mod feed;
mod guard;
mod limits;
mod page;
mod readers;
mod request;
mod response;
mod sampler;
mod snapshot;

pub use builder::Builder;
pub use dashboard::{Dashboard, serve};
pub use error::{BadToken, DashboardError};
