//! The settings of a publisher.

use super::{Owner, Publisher, courier::Courier, shared::Shared};
use crate::{client::Client, codec::Codec};
use std::{error::Error, fmt, sync::Arc, time::Duration};

/// Enough to keep a server busy over any network: a fiftieth of a second of what one stream on a file takes.
const MAX_IN_FLIGHT: usize = 4096;
/// As many answers as the client keeps for a subscriber by itself; more would be lost, and their messages sent again.
const MOST_IN_FLIGHT: usize = 64 * 1024;
/// Longer than the restart of a server or an election, far shorter than the duplicate window (2 minutes, unless the stream has
/// another), beyond which a message that is sent again could be stored twice.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(30);
/// Far longer than a busy server takes for an answer, and often enough within the timeout.
const RESEND_AFTER: Duration = Duration::from_secs(5);

/// The settings of a [`Publisher`]. Made by [`Publisher::builder`].
///
/// ```no_run
/// # fn build(client: millpond_nats::Client) -> Result<(), millpond_nats::PublisherError> {
/// use millpond_nats::{Codec, Publisher};
///
/// let publisher = Publisher::builder(&client).codec(Codec::Json).version(2).max_in_flight(512).build()?;
/// # Ok(()) }
/// ```
///
/// Where a server may be away for longer than half a minute, and the stream's duplicate window is larger:
///
/// ```no_run
/// # fn build(client: millpond_nats::Client) -> Result<(), millpond_nats::PublisherError> {
/// use std::time::Duration;
///
/// let publisher = millpond_nats::Publisher::builder(&client)
///     .publish_timeout(Duration::from_secs(300))
///     .resend_after(Duration::from_secs(10))
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct PublisherBuilder {
    client: Client,
    codec: Codec,
    version: u32,
    max_in_flight: usize,
    publish_timeout: Duration,
    resend_after: Duration,
}

/// There is no such publisher: a setting has a value that cannot be.
///
/// ```no_run
/// # fn build(client: millpond_nats::Client) {
/// let error = millpond_nats::Publisher::builder(&client).max_in_flight(0).build().unwrap_err();
/// assert!(error.to_string().contains("max_in_flight = 0"));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct PublisherError {
    setting: &'static str,
    value: String,
    way_out: String,
}

impl PublisherBuilder {
    pub(super) fn new(client: Client) -> PublisherBuilder {
        PublisherBuilder {
            client,
            codec: Codec::default(),
            version: 0,
            max_in_flight: MAX_IN_FLIGHT,
            publish_timeout: PUBLISH_TIMEOUT,
            resend_after: RESEND_AFTER,
        }
    }

    /// What values are written in. Default: JSON.
    pub fn codec(self, codec: Codec) -> PublisherBuilder {
        PublisherBuilder { codec, ..self }
    }

    /// Which version of their type the values are, for consumers that have to tell old messages from new ones. It is the header
    /// [`Millpond-Version`](crate::headers::VERSION), and changes nothing by itself. Default: 0.
    pub fn version(self, version: u32) -> PublisherBuilder {
        PublisherBuilder { version, ..self }
    }

    /// How many messages may be without an answer. Whoever publishes more waits. Default: 4,096; at most 65,536.
    ///
    /// They are kept in memory until they are answered, payload and all.
    pub fn max_in_flight(self, max_in_flight: usize) -> PublisherBuilder {
        PublisherBuilder { max_in_flight, ..self }
    }

    /// How long a message may be without an answer before it is given up. Until then it is sent again whenever the connection was
    /// lost or [`resend_after`](Self::resend_after) has passed. Default: 30 s.
    ///
    /// Keep it well below the stream's duplicate window (2 minutes, if the stream says nothing else): what is sent again after
    /// that could be stored twice.
    pub fn publish_timeout(self, publish_timeout: Duration) -> PublisherBuilder {
        PublisherBuilder { publish_timeout, ..self }
    }

    /// After how long without an answer a message is sent again, on a connection that seems well. Default: 5 s.
    pub fn resend_after(self, resend_after: Duration) -> PublisherBuilder {
        PublisherBuilder { resend_after, ..self }
    }

    /// Makes the publisher. Its task starts on the client's thread; nothing waits for the server.
    ///
    /// # Errors
    /// `max_in_flight` is 0 or more than 65,536, or one of the two times is zero.
    pub fn build(self) -> Result<Publisher, PublisherError> {
        self.check()?;
        let PublisherBuilder { client, codec, version, max_in_flight, publish_timeout, resend_after } = self;
        let shared = Arc::new(Shared::new(client.nats(), max_in_flight, publish_timeout, resend_after));
        let runtime = client.runtime().clone();
        runtime.spawn(Courier::new(Arc::clone(&shared), client).run());
        Ok(Publisher { owner: Arc::new(Owner(shared)), codec, version })
    }

    fn check(&self) -> Result<(), PublisherError> {
        let fail = |setting, value, way_out: &str| {
            Err(PublisherError { setting, value, way_out: way_out.to_owned() })
        };
        if !(1..=MOST_IN_FLIGHT).contains(&self.max_in_flight) {
            let way_out = format!("it can be 1 to {MOST_IN_FLIGHT}; 4,096 is the default");
            return fail("max_in_flight", self.max_in_flight.to_string(), &way_out);
        }
        if self.publish_timeout.is_zero() {
            return fail("publish_timeout", "0".into(), "no answer comes in no time; 30 s is the default");
        }
        if self.resend_after.is_zero() {
            return fail("resend_after", "0".into(), "no answer comes in no time; 5 s is the default");
        }
        Ok(())
    }
}

impl fmt::Display for PublisherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no publisher with {} = {}: {}", self.setting, self.value, self.way_out)
    }
}

impl Error for PublisherError {}
