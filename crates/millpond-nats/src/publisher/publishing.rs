//! The future of the server's answer.

use super::{error::PublishError, receipt::Outcome};
use async_nats::Subject;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::oneshot;

/// The answer to a message, as a future that any executor can await.
///
/// Dropping it does not take the message back: it goes on to the server, is sent again if it must, and counts in the
/// [receipt](crate::PublishReceipt).
///
/// ```no_run
/// # async fn publish(publisher: millpond_nats::Publisher) -> Result<(), millpond_nats::PublishError> {
/// let publishing = publisher.publish("jobs.hash", "/var/log/syslog").await?;
/// // … and at some later time:
/// let published = publishing.await?;
/// println!("number {} in {}", published.sequence, published.stream);
/// # Ok(()) }
/// ```
///
/// # Errors
/// Why the message was not stored, or not for certain: see [`PublishError`].
///
/// # Cancel safety
/// It can be polled, left and polled again.
#[must_use = "the message goes on without it; to await it tells whether it was stored"]
pub struct Publishing {
    answer: oneshot::Receiver<Result<Published, PublishError>>,
    /// For the error, should the connection end.
    subject: Subject,
}

/// A message that a stream holds.
///
/// ```no_run
/// # async fn publish(publisher: millpond_nats::Publisher) -> Result<(), millpond_nats::PublishError> {
/// use millpond_nats::Published;
///
/// let Published { stream, sequence, duplicate, .. } = publisher.publish("jobs.hash", "/var/log/syslog").await?.await?;
/// println!("number {sequence} in {stream}{}", if duplicate { ", again" } else { "" });
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Published {
    /// The stream that holds it.
    pub stream: Arc<str>,
    /// Its number there. A duplicate has that of the one that was stored.
    pub sequence: u64,
    /// The stream held a message of that id already, and did not store this one. Never with an id of the publisher's own; with
    /// one of yours it may have been this very message, sent again since its first answer was lost.
    pub duplicate: bool,
}

impl Published {
    pub(super) fn outcome(&self) -> Outcome {
        if self.duplicate { Outcome::Duplicate } else { Outcome::Published }
    }
}

impl Publishing {
    pub(super) fn new(
        answer: oneshot::Receiver<Result<Published, PublishError>>,
        subject: Subject,
    ) -> Publishing {
        Publishing { answer, subject }
    }
}

impl Future for Publishing {
    type Output = Result<Published, PublishError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // Ended by the answer, the deadline or the end of the connection, all of which the client's thread sees.
        Poll::Ready(match ready!(Pin::new(&mut self.answer).poll(cx)) {
            Ok(answer) => answer,
            Err(_) => Err(PublishError::ClientEnded { subject: self.subject.to_string() }),
        })
    }
}

impl fmt::Debug for Publishing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publishing").field("subject", &self.subject.as_str()).finish_non_exhaustive()
    }
}
