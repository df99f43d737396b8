//! Why a message was not published.

use crate::codec::EncodeError;
use std::{error::Error, fmt, time::Duration};

/// Why a message was not published, or not for certain.
///
/// ```no_run
/// # async fn publish(publisher: millpond_nats::Publisher) {
/// use millpond_nats::PublishError;
///
/// match publisher.publish("jobs.hash", "/var/log/syslog").await {
///     Ok(publishing) => println!("given: {publishing:?}"),
///     Err(PublishError::TooLarge { size_bytes, limit_bytes, .. }) => println!("{size_bytes} of {limit_bytes} bytes"),
///     Err(error) => println!("{error}"),
/// }
/// # }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum PublishError {
    /// The value could not be written. Nothing was sent.
    Encode(EncodeError),
    /// The subject is empty, or has an empty token, a wildcard or white space. Nothing was sent.
    InvalidSubject {
        /// The subject.
        subject: String,
    },
    /// The message id is empty or has a line break in it. Nothing was sent.
    InvalidId {
        /// The id.
        id: String,
    },
    /// The message is larger than the server takes. Nothing was sent.
    TooLarge {
        /// Where it was to go.
        subject: String,
        /// Payload and headers.
        size_bytes: usize,
        /// The server's `max_payload`.
        limit_bytes: usize,
    },
    /// No stream listens to the subject, also not a while later. Nothing was stored.
    NoStream {
        /// The subject.
        subject: String,
    },
    /// The stream, or what the server has for all of them, is full. Nothing was stored.
    Full {
        /// The subject.
        subject: String,
        /// The stream that refused, where the server says so.
        stream: String,
        /// The server's words.
        reason: String,
    },
    /// The stream refused the message for another reason. Nothing was stored.
    Refused {
        /// The subject.
        subject: String,
        /// The stream that refused, where the server says so.
        stream: String,
        /// The server's `err_code`.
        code: u64,
        /// The server's words.
        reason: String,
    },
    /// No answer came in time, however often it was sent. The stream may hold the message or not: to publish it again with the
    /// same id is safe within the stream's duplicate window.
    TimedOut {
        /// The subject.
        subject: String,
        /// The message's id.
        id: String,
        /// How many times it was sent. With 0 it certainly is not stored.
        attempts: u32,
        /// The publisher's `publish_timeout`.
        timeout: Duration,
        /// What the server last said, if it said that this is no time for it.
        last_answer: Option<String>,
    },
    /// The connection has ended for good before an answer came. The stream may hold the message or not, as with
    /// [`TimedOut`](Self::TimedOut).
    ClientEnded {
        /// The subject.
        subject: String,
    },
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PublishError::Encode(error) => error.fmt(f),
            PublishError::InvalidSubject { subject } => write!(
                f,
                "{subject:?} is no subject to publish to: it must be tokens with dots between, without wildcards and spaces"
            ),
            PublishError::InvalidId { id } => {
                write!(f, "{id:?} is no message id: it must have a character and no line break")
            }
            PublishError::TooLarge { subject, size_bytes, limit_bytes } => write!(
                f,
                "the message to {subject} has {size_bytes} bytes with its headers, and the server takes {limit_bytes} \
                 (max_payload): publish where the data is instead of the data, or raise the server's max_payload"
            ),
            PublishError::NoStream { subject } => write!(
                f,
                "no stream listens to {subject}: create one with that subject (`Client::create_work_queue`), and see that \
                 the server has JetStream on and its disk has room"
            ),
            PublishError::Full { subject, stream, reason } => write!(
                f,
                "{stream} has no room for the message to {subject}: {reason}; wait until its consumers have caught up, or \
                 raise its limits or the server's",
                stream = Stream(stream)
            ),
            PublishError::Refused { subject, stream, code, reason } => write!(
                f,
                "{stream} refused the message to {subject}: {reason} (err_code {code})",
                stream = Stream(stream)
            ),
            PublishError::TimedOut { subject, id, attempts, timeout, last_answer } => {
                write!(
                    f,
                    "no stream has answered for the message {id} to {subject} within {timeout:?} (publish_timeout), in \
                     {attempts} attempts; it may be stored: publish it again with the same id (`publish_with_id`)"
                )?;
                last_answer.as_ref().map_or(Ok(()), |answer| write!(f, "; the server last said: {answer}"))
            }
            PublishError::ClientEnded { subject } => write!(
                f,
                "the connection has ended for good, and with it the message to {subject}, which may be stored; connect a \
                 new client"
            ),
        }
    }
}

/// The stream's name in a sentence.
struct Stream<'a>(&'a str);

impl fmt::Display for Stream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("the server") } else { write!(f, "the stream {}", self.0) }
    }
}

impl Error for PublishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            PublishError::Encode(error) => Some(error),
            _ => None,
        }
    }
}

impl From<EncodeError> for PublishError {
    fn from(error: EncodeError) -> PublishError {
        PublishError::Encode(error)
    }
}
