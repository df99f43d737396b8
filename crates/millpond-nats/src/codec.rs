//! What a message's payload is written in, and how it is read again.

mod error;

pub use error::{DecodeError, DecodeErrorKind, EncodeError};

use crate::headers;
use async_nats::HeaderMap;
use bytes::Bytes;
use error::Undecoded;
use serde::{Serialize, de::DeserializeOwned};
use std::{any::type_name, error::Error, fmt};

/// What the payloads of messages are written in. Any `serde` type will do.
///
/// A message says in its `Content-Type` what it is written in, so a consumer reads all of them, whatever its own publishers
/// use; one without that header is JSON.
///
/// ```
/// use millpond_nats::Codec;
///
/// let payload = Codec::Json.encode(&("/var/log/syslog", 4096))?;
/// assert_eq!(&payload[..], br#"["/var/log/syslog",4096]"#);
/// # Ok::<(), millpond_nats::EncodeError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Codec {
    /// JSON: `application/json`. People and every other language can read it.
    #[default]
    Json,
    /// MessagePack: `application/msgpack`. Smaller than JSON, and read by most languages. Structs are written with the names of
    /// their fields, so that a field with a default can be added or taken away.
    #[cfg(feature = "messagepack")]
    MessagePack,
    /// postcard: `application/postcard`. The smallest and the fastest, for Rust alone. Nothing in it says what it is: both
    /// sides must have the very same type, so tell changes of it by the [version](crate::PublisherBuilder::version).
    #[cfg(feature = "postcard")]
    Postcard,
}

/// What a `Content-Type` asks for.
enum Format {
    Known(Codec),
    #[allow(dead_code, reason = "with all features there is none")]
    Off(&'static str),
    Unknown,
}

impl Codec {
    /// What messages of this codec have as their `Content-Type`.
    ///
    /// ```
    /// assert_eq!(millpond_nats::Codec::Json.content_type(), "application/json");
    /// ```
    pub fn content_type(self) -> &'static str {
        match self {
            Codec::Json => "application/json",
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => "application/msgpack",
            #[cfg(feature = "postcard")]
            Codec::Postcard => "application/postcard",
        }
    }

    /// Writes a value.
    ///
    /// # Errors
    /// The value refuses, or the codec has no form for it.
    pub fn encode<T: Serialize + ?Sized>(self, value: &T) -> Result<Bytes, EncodeError> {
        let fail = |source| EncodeError { codec: self, type_name: type_name::<T>(), source };
        let payload: Result<Vec<u8>, Box<dyn Error + Send + Sync>> = match self {
            Codec::Json => serde_json::to_vec(value).map_err(Into::into),
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => rmp_serde::to_vec_named(value).map_err(Into::into),
            #[cfg(feature = "postcard")]
            Codec::Postcard => postcard::to_allocvec(value).map_err(Into::into),
        };
        payload.map(Bytes::from).map_err(fail)
    }

    fn read<T: DeserializeOwned>(self, payload: &[u8]) -> Result<T, Box<dyn Error + Send + Sync>> {
        match self {
            Codec::Json => serde_json::from_slice(payload).map_err(Into::into),
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => rmp_serde::from_slice(payload).map_err(Into::into),
            #[cfg(feature = "postcard")]
            Codec::Postcard => read_postcard(payload),
        }
    }
}

/// postcard by itself takes no offence at what is left over, and that is how a message of another version gives itself away.
#[cfg(feature = "postcard")]
fn read_postcard<T: DeserializeOwned>(payload: &[u8]) -> Result<T, Box<dyn Error + Send + Sync>> {
    let (value, rest) = postcard::take_from_bytes(payload)?;
    if rest.is_empty() {
        return Ok(value);
    }
    Err(format!("{} of {} bytes are left over", rest.len(), payload.len()).into())
}

/// Reads the payload of a message, in what its headers say that it is written in.
///
/// A `Job` has this as its method. It is here for messages that come another way, such as from a stream of
/// results.
///
/// ```
/// use millpond_nats::decode;
///
/// let (path, bytes): (String, u64) = decode(None, br#"["/var/log/syslog",4096]"#)?;
/// assert_eq!((path.as_str(), bytes), ("/var/log/syslog", 4096));
///
/// let error = decode::<u64>(None, b"four").unwrap_err();
/// assert!(error.to_string().starts_with("the payload is no u64"));
/// # Ok::<(), millpond_nats::DecodeError>(())
/// ```
///
/// # Errors
/// The payload is not a `T`, or its `Content-Type` is none that is turned on.
pub fn decode<T: DeserializeOwned>(headers: Option<&HeaderMap>, payload: &[u8]) -> Result<T, DecodeError> {
    let content_type =
        headers.and_then(|headers| headers.get(headers::CONTENT_TYPE)).map(|value| value.as_str());
    let kind = match content_type.map_or(Format::Known(Codec::Json), Format::of) {
        Format::Known(codec) => match codec.read(payload) {
            Ok(value) => return Ok(value),
            Err(source) => DecodeErrorKind::Malformed { codec, source },
        },
        Format::Off(feature) => {
            DecodeErrorKind::FeatureOff { content_type: content_type.unwrap_or_default().to_owned(), feature }
        }
        Format::Unknown => {
            DecodeErrorKind::UnknownContentType { content_type: content_type.unwrap_or_default().to_owned() }
        }
    };
    Err(DecodeError(Box::new(Undecoded { type_name: type_name::<T>(), version: version(headers), kind })))
}

/// Which version of its type a message carries: 0 without a header, or with one that is no number.
pub(crate) fn version(headers: Option<&HeaderMap>) -> u32 {
    headers
        .and_then(|headers| headers.get(headers::VERSION))
        .and_then(|value| value.as_str().trim().parse().ok())
        .unwrap_or(0)
}

impl Format {
    fn of(content_type: &str) -> Format {
        // What follows a semicolon are parameters, such as the character set.
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" | "text/json" => Format::Known(Codec::Json),
            structured if structured.ends_with("+json") => Format::Known(Codec::Json),
            // The registered name, and the two that are in use.
            "application/vnd.msgpack" | "application/msgpack" | "application/x-msgpack" => {
                Format::messagepack()
            }
            "application/postcard" => Format::postcard(),
            _ => Format::Unknown,
        }
    }

    #[cfg(feature = "messagepack")]
    fn messagepack() -> Format {
        Format::Known(Codec::MessagePack)
    }

    #[cfg(not(feature = "messagepack"))]
    fn messagepack() -> Format {
        Format::Off("messagepack")
    }

    #[cfg(feature = "postcard")]
    fn postcard() -> Format {
        Format::Known(Codec::Postcard)
    }

    #[cfg(not(feature = "postcard"))]
    fn postcard() -> Format {
        Format::Off("postcard")
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Codec::Json => "JSON",
            #[cfg(feature = "messagepack")]
            Codec::MessagePack => "MessagePack",
            #[cfg(feature = "postcard")]
            Codec::Postcard => "postcard",
        })
    }
}

#[cfg(test)]
mod tests;
