//! The sending side: messages to a stream, many at a time, each stored once.
//!
//! `shared` is where both sides meet: those who publish, on any thread, and the `courier`, a task on the client's thread. A
//! message is given under one lock (`in_flight`), and its giver hands it to the client itself. The courier takes the answers, and
//! sends only what has to go again.

mod answer;
mod builder;
mod courier;
mod error;
mod flushes;
mod in_flight;
mod outgoing;
mod publishing;
mod receipt;
mod settled;
mod shared;
mod slots;
mod waiting;

pub use builder::{PublisherBuilder, PublisherError};
pub use error::PublishError;
pub use publishing::{Published, Publishing};
pub use receipt::{PublishAllError, PublishReceipt, PublisherMetrics};

use crate::{client::Client, codec::Codec, headers};
use async_nats::{HeaderMap, Subject, subject::ToSubject};
use bytes::Bytes;
use futures_util::FutureExt;
use outgoing::{Kind, MessageId, Outgoing};
use serde::Serialize;
use shared::Shared;
use std::{collections::VecDeque, fmt, sync::Arc};

/// Publishes messages to streams of JetStream, and tells of each whether it is stored.
///
/// A cheap clone. Dropping the last one takes nothing back: what was given goes on to its answer or its deadline, on the
/// client's thread, which lives as long. A process that is about to end waits for that with [`flush`](Self::flush).
///
/// All its methods are awaited on any executor: in a job of a pool, inside tokio, in a plain thread's `block_on`.
///
/// - **Backpressure.** At most [`max_in_flight`](PublisherBuilder::max_in_flight) messages are without an answer; whoever
///   publishes more waits for room.
/// - **No round trips.** `publish` returns as soon as the message is on its way. Its answer is the [`Publishing`] that it
///   returns, to be awaited at once, later, or not at all.
/// - **Stored once.** Each message has a `Nats-Msg-Id`. When an answer is lost, since the server was restarted or took too long,
///   the message is sent again with the same id until its [deadline](PublisherBuilder::publish_timeout), and the stream takes it
///   once.
///
/// Messages that one caller gives one after the other are stored in that order, unless some have to be sent again.
///
/// ```no_run
/// # async fn publish() -> Result<(), Box<dyn std::error::Error>> {
/// use millpond_nats::{Client, Publisher};
///
/// let client = Client::connect("nats://localhost:4222").await?;
/// let publisher = Publisher::builder(&client).build()?;
/// for entry in std::fs::read_dir("/var/log")? {
///     let path = entry?.path();
///     drop(publisher.publish("jobs.hash", &path).await?);
/// }
/// let receipt = publisher.flush().await;
/// println!("{} of {} paths published", receipt.published, receipt.given());
/// # Ok(()) }
/// ```
///
/// What is under way now:
///
/// ```no_run
/// # fn look(publisher: millpond_nats::Publisher) {
/// println!("{:?}", publisher.metrics());
/// # }
/// ```
#[derive(Clone)]
pub struct Publisher {
    owner: Arc<Owner>,
    codec: Codec,
    version: u32,
}

/// The last handle's drop lets the task end.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.lock().close();
        self.0.wake();
    }
}

impl Publisher {
    /// A publisher with other settings than the defaults.
    pub fn builder(client: &Client) -> PublisherBuilder {
        PublisherBuilder::new(client.clone())
    }

    /// Publishes a value, once there is room. Its id is one of the publisher's own.
    ///
    /// # Errors
    /// What can be known before the message is sent: the value cannot be written, the message is larger than the server takes, the
    /// subject makes no sense, the connection has ended for good. All else is the [`Publishing`]'s to tell.
    ///
    /// # Cancel safety
    /// Dropped before its end, it has published nothing.
    pub async fn publish<S, T>(&self, subject: S, value: &T) -> Result<Publishing, PublishError>
    where
        S: ToSubject,
        T: Serialize + ?Sized,
    {
        self.publish_value(subject.to_subject(), MessageId::Own, value).await
    }

    /// Publishes a value under an id that says what it is: published again within the stream's duplicate window (2 minutes, if
    /// the stream says nothing else), it is stored once, whoever publishes it.
    ///
    /// ```no_run
    /// # async fn publish(publisher: millpond_nats::Publisher) -> Result<(), millpond_nats::PublishError> {
    /// let path = "/var/log/syslog";
    /// let published = publisher.publish_with_id("jobs.hash", &format!("hash:{path}"), path).await?.await?;
    /// println!("{}", if published.duplicate { "somebody was faster" } else { "stored" });
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As those of [`publish`](Self::publish); and the id is empty or has a line break in it.
    ///
    /// # Cancel safety
    /// Dropped before its end, it has published nothing.
    pub async fn publish_with_id<S, T>(
        &self,
        subject: S,
        id: &str,
        value: &T,
    ) -> Result<Publishing, PublishError>
    where
        S: ToSubject,
        T: Serialize + ?Sized,
    {
        self.publish_value(subject.to_subject(), MessageId::Given(id.into()), value).await
    }

    /// Publishes bytes with headers of your own, and no others but the message id: that among the headers, or else one of the
    /// publisher's own. For what is written already, such as a message that is passed on.
    ///
    /// ```no_run
    /// # async fn publish(publisher: millpond_nats::Publisher) -> Result<(), millpond_nats::PublishError> {
    /// use millpond_nats::async_nats::HeaderMap;
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert("Content-Type", "image/png");
    /// let publishing = publisher.publish_with_headers("images.new", headers, "…".into()).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As those of [`publish_with_id`](Self::publish_with_id).
    ///
    /// # Cancel safety
    /// Dropped before its end, it has published nothing.
    pub async fn publish_with_headers<S>(
        &self,
        subject: S,
        headers: HeaderMap,
        payload: Bytes,
    ) -> Result<Publishing, PublishError>
    where
        S: ToSubject,
    {
        let id = match headers.get(headers::MESSAGE_ID) {
            Some(id) => MessageId::Given(id.as_str().into()),
            None => MessageId::Own,
        };
        self.give(subject.to_subject(), id, Kind::Raw(Arc::new(headers)), payload).await
    }

    /// Publishes all these values to one subject, as fast as there is room, and waits for all their answers.
    ///
    /// ```no_run
    /// # async fn publish(publisher: millpond_nats::Publisher) -> Result<(), millpond_nats::PublishAllError> {
    /// let receipt = publisher.publish_all("jobs.square", 0..100_000_u64).await?;
    /// assert_eq!(receipt.published, 100_000);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// A message was not stored, or not for certain. The error has the receipt of all that were given, and the first of the
    /// errors. What `publish` would refuse at once ends it before the rest is given.
    ///
    /// # Cancel safety
    /// Dropped before its end, it has published some of the values, and not the others.
    pub async fn publish_all<S, T>(
        &self,
        subject: S,
        values: impl IntoIterator<Item = T>,
    ) -> Result<PublishReceipt, PublishAllError>
    where
        S: ToSubject,
        T: Serialize,
    {
        let subject = subject.to_subject();
        let (mut given, mut tally) = (VecDeque::new(), Tally::default());
        for value in values {
            // Ended by room for the message.
            match self.publish(subject.clone(), &value).await {
                Ok(publishing) => given.push_back(publishing),
                Err(error) => {
                    tally.first = tally.first.or(Some(error));
                    break;
                }
            }
            // Those at the front are nearly always the first to be answered: no more are kept than are in flight.
            while let Some(answer) = given.front_mut().and_then(|publishing| publishing.now_or_never()) {
                given.pop_front();
                tally.count(answer);
            }
        }
        for publishing in given {
            // Ended by the answer, which comes by the message's deadline.
            tally.count(publishing.await);
        }
        tally.into_result()
    }

    /// Waits until all that was given before is answered or given up: all of which [`publish`](Self::publish) has returned. The
    /// receipt counts all that the publisher and its clones were given since it was made.
    ///
    /// ```no_run
    /// # async fn end(publisher: millpond_nats::Publisher) {
    /// let receipt = publisher.flush().await;
    /// assert_eq!(receipt.failed, 0, "{receipt:?}");
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Dropped before its end, it has changed nothing.
    pub async fn flush(&self) -> PublishReceipt {
        self.owner.0.flush().await
    }

    /// What the publisher and its clones have done so far. A snapshot, and cheap.
    pub fn metrics(&self) -> PublisherMetrics {
        self.owner.0.lock().metrics()
    }

    async fn publish_value<T: Serialize + ?Sized>(
        &self,
        subject: Subject,
        id: MessageId,
        value: &T,
    ) -> Result<Publishing, PublishError> {
        let payload = self.codec.encode(value)?;
        let kind = Kind::Value { codec: self.codec, version: self.version };
        self.give(subject, id, kind, payload).await
    }

    async fn give(
        &self,
        subject: Subject,
        id: MessageId,
        kind: Kind,
        payload: Bytes,
    ) -> Result<Publishing, PublishError> {
        let shared = &self.owner.0;
        let number = shared.next_number();
        shared.publish(Outgoing { subject, payload, id, number, kind }).await
    }
}

impl fmt::Debug for Publisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publisher")
            .field("codec", &self.codec)
            .field("version", &self.version)
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}

/// What became of the messages of one `publish_all`.
#[derive(Default)]
struct Tally {
    receipt: PublishReceipt,
    first: Option<PublishError>,
}

impl Tally {
    fn count(&mut self, answer: Result<Published, PublishError>) {
        match answer {
            Ok(published) => self.receipt.count(published.outcome()),
            Err(error) => {
                self.receipt.count(receipt::Outcome::Failed);
                self.first.get_or_insert(error);
            }
        }
    }

    fn into_result(self) -> Result<PublishReceipt, PublishAllError> {
        match self.first {
            None => Ok(self.receipt),
            Some(first) => Err(PublishAllError { receipt: self.receipt, first }),
        }
    }
}
