//! What a handler gets.

use crate::{
    codec::{self, DecodeError},
    delivery::Delivery,
    headers,
};
use async_nats::HeaderMap;
use bytes::Bytes;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// A message of the stream, for the handler to do.
///
/// What becomes of it is said by the handler's end. Dropping it does nothing.
///
/// ```no_run
/// # #[derive(serde::Deserialize)] struct Resize { path: String, width: u32 }
/// use millpond_nats::{Failure, Job};
///
/// async fn resize(job: Job) -> Result<(), Failure> {
///     let Resize { path, width } = job.decode()?; // what makes no sense goes to the dead letters
///     println!("{path} to {width}, for the {}. time", job.attempt());
///     Ok(())
/// }
/// ```
///
/// What else is known of it, for logs and for effects that must not be doubled:
///
/// ```no_run
/// # async fn look(job: millpond_nats::Job) {
/// println!("{} bytes of version {} on {}", job.payload().len(), job.version(), job.subject());
/// let trace = job.headers().and_then(|headers| headers.get("traceparent"));
/// match job.message_id() {
///     Some(id) => println!("store the effect under {id}"),
///     None => println!("store the effect under {}", job.sequence()),
/// }
/// # drop(trace); }
/// ```
#[derive(Debug)]
pub struct Job {
    delivery: Arc<Delivery>,
}

impl Job {
    pub(crate) fn new(delivery: Arc<Delivery>) -> Job {
        Job { delivery }
    }

    /// The job as a value, written by a [`Publisher`](crate::Publisher) or by anything else that sends JSON.
    ///
    /// # Errors
    /// It is none of these. A handler that passes the error on sends the job to the dead letters.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, DecodeError> {
        codec::decode(self.headers(), self.payload())
    }

    /// As it was sent.
    pub fn payload(&self) -> &Bytes {
        &self.delivery.message.payload
    }

    /// That it was published to.
    pub fn subject(&self) -> &str {
        &self.delivery.message.subject
    }

    /// That came with it.
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.delivery.message.headers.as_ref()
    }

    /// The version of the job's type, as its [publisher](crate::PublisherBuilder::version) said. 0 without.
    pub fn version(&self) -> u32 {
        codec::version(self.headers())
    }

    /// By which a second publish of the same job is known.
    pub fn message_id(&self) -> Option<&str> {
        Some(self.headers()?.get(headers::MESSAGE_ID)?.as_str())
    }

    /// How often the server has delivered it, this time included: 1 is the first.
    pub fn attempt(&self) -> u64 {
        self.delivery.receipted.attempt
    }

    /// Its place in the stream. No other message of the stream has it, and each delivery of this one does: an effect that is
    /// stored under it is not doubled by a delivery that is. A stream that is made anew counts from 1 again, and a server that
    /// lost the last messages it had taken gives their places to others; where that may be, store it under
    /// [`message_id`](Self::message_id).
    pub fn sequence(&self) -> u64 {
        self.delivery.receipted.sequence
    }
}
