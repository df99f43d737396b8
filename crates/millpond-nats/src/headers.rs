//! The names of the headers that messages carry.
//!
//! Each is a `&'static str`, as `async_nats::HeaderMap` takes it:
//!
//! ```
//! use millpond_nats::{async_nats::HeaderMap, headers};
//!
//! let mut of_a_dead_letter = HeaderMap::new();
//! of_a_dead_letter.insert(headers::REASON, "no such account");
//! assert_eq!(of_a_dead_letter.get("Millpond-Reason").unwrap().as_str(), "no such account");
//! ```

/// The id by which the server knows a message again: within the stream's duplicate window a second one of the same id is
/// answered, and not stored. [`Publisher`](crate::Publisher) sets it on every message.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";

/// What the payload is written in, as a [`Codec`](crate::Codec) names it. Without the header it is JSON.
pub const CONTENT_TYPE: &str = "Content-Type";

/// Which version of its type the payload holds: the number given to
/// [`PublisherBuilder::version`](crate::PublisherBuilder::version), in decimal. Without the header it is 0.
pub const VERSION: &str = "Millpond-Version";

/// On a dead letter: why the message was given up, for people to read: up to 4 KiB. It says so where the message's own headers
/// were so large that these had no room beside them, and were left out.
pub const REASON: &str = "Millpond-Reason";

/// On a dead letter: how many times the message was delivered, in decimal.
pub const ATTEMPTS: &str = "Millpond-Attempts";

/// On a dead letter: the stream that the message was in.
pub const STREAM: &str = "Millpond-Stream";

/// On a dead letter: the message's sequence number in that stream, in decimal.
pub const SEQUENCE: &str = "Millpond-Sequence";

/// On a dead letter: the subject that the message had been published to.
pub const SUBJECT: &str = "Millpond-Subject";

/// On a dead letter: the durable name of the consumer that gave it up.
pub const CONSUMER: &str = "Millpond-Consumer";

/// On a dead letter: the [`MESSAGE_ID`] that the message had been published with. The letter has one of its own, so that the
/// same message never dies twice.
pub const ORIGINAL_MESSAGE_ID: &str = "Millpond-Msg-Id";

/// On a dead letter: which part of the payload it holds, as `1/2`, where the message was so large that these headers would have
/// taken it over the server's limit. The parts of one message have the same [`SEQUENCE`].
pub const PART: &str = "Millpond-Part";
