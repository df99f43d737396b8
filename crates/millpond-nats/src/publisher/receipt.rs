//! What became of the messages that a publisher was given.

use super::error::PublishError;
use std::{error::Error, fmt};

/// What became of the messages given to a [`Publisher`](crate::Publisher), in counts that add up to all of them.
///
/// ```no_run
/// # async fn publish(publisher: millpond_nats::Publisher) -> Result<(), millpond_nats::PublishError> {
/// for path in ["/a", "/b", "/a"] {
///     drop(publisher.publish_with_id("jobs.hash", path, path).await?);
/// }
/// let receipt = publisher.flush().await;
/// assert_eq!((receipt.published, receipt.duplicates, receipt.failed), (2, 1, 0));
/// assert_eq!(receipt.given(), 3);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishReceipt {
    /// Messages that a stream has stored.
    pub published: u64,
    /// Messages that a stream held already, by their ids. One that was sent again since its answer was lost counts here too, if
    /// its id was the user's: nobody can tell it from another of that id.
    pub duplicates: u64,
    /// Messages that ended with a [`PublishError`]. What [`publish`](crate::Publisher::publish) refuses at once was never given,
    /// and is not counted.
    pub failed: u64,
}

/// What a publisher has done so far: see [`Publisher::metrics`](crate::Publisher::metrics).
///
/// ```no_run
/// # fn look(publisher: millpond_nats::Publisher) {
/// let metrics = publisher.metrics();
/// println!("{} stored, {} on their way", metrics.answered.published, metrics.in_flight);
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublisherMetrics {
    /// Messages that have been answered, or given up.
    pub answered: PublishReceipt,
    /// Messages given and not yet answered.
    pub in_flight: u64,
    /// How many times a message has been sent again.
    pub resent: u64,
}

/// Some messages of a [`publish_all`](crate::Publisher::publish_all) were not published.
///
/// ```no_run
/// # async fn publish(publisher: millpond_nats::Publisher) {
/// if let Err(error) = publisher.publish_all("jobs.square", 0..100_000_u64).await {
///     println!("{} of {} failed, the first since {}", error.receipt.failed, error.receipt.given(), error.first);
/// }
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct PublishAllError {
    /// What became of those that were given before it stopped, all of them answered.
    pub receipt: PublishReceipt,
    /// The first error. Where `publish` refused a message at once, nothing was given after it.
    pub first: PublishError,
}

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Published,
    Duplicate,
    Failed,
}

impl PublishReceipt {
    /// All the messages that were given: the sum of the counts.
    pub fn given(&self) -> u64 {
        self.published + self.duplicates + self.failed
    }

    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Published => self.published += 1,
            Outcome::Duplicate => self.duplicates += 1,
            Outcome::Failed => self.failed += 1,
        }
    }
}

impl fmt::Display for PublishAllError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PublishReceipt { published, duplicates, failed } = self.receipt;
        write!(
            f,
            "not all was published ({published} messages were, {duplicates} were duplicates, {failed} failed); first: {}",
            self.first
        )
    }
}

impl Error for PublishAllError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.first)
    }
}
