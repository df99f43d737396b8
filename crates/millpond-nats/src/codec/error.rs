//! Why a payload could not be written or read.

use super::Codec;
use std::{error::Error, fmt};

/// A payload could not be written.
///
/// `serde` types that refuse are few: maps whose keys are not strings in JSON, sequences of unknown length in postcard.
///
/// ```
/// use millpond_nats::Codec;
/// use std::collections::BTreeMap;
///
/// let keys_are_pairs = BTreeMap::from([((1, 2), 3)]);
/// let error = Codec::Json.encode(&keys_are_pairs).unwrap_err();
/// assert!(error.to_string().ends_with("cannot be written as JSON: key must be a string"));
/// ```
#[derive(Debug)]
pub struct EncodeError {
    pub(super) codec: Codec,
    pub(super) type_name: &'static str,
    pub(super) source: Box<dyn Error + Send + Sync>,
}

/// A payload could not be read: it is not what was expected, or the codec that it needs is not there.
///
/// To try again would not help, so a job that ends with this error goes to the dead letters at once.
///
/// ```
/// use millpond_nats::{DecodeErrorKind, decode};
///
/// let error = decode::<u64>(None, b"four").unwrap_err();
/// if let DecodeErrorKind::Malformed { .. } = error.kind() {
///     println!("{error}: is it of version {}?", error.version());
/// }
/// # assert_eq!(error.version(), 0);
/// ```
pub struct DecodeError(pub(super) Box<Undecoded>);

pub(super) struct Undecoded {
    pub(super) type_name: &'static str,
    pub(super) version: u32,
    pub(super) kind: DecodeErrorKind,
}

/// Why a payload could not be read.
///
/// ```
/// use millpond_nats::{DecodeErrorKind, decode};
///
/// let error = decode::<u64>(None, b"four").unwrap_err();
/// assert!(matches!(error.kind(), DecodeErrorKind::Malformed { .. }));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// It is not a value of the type that was expected.
    Malformed {
        /// What it is written in.
        codec: Codec,
        /// What the codec says.
        source: Box<dyn Error + Send + Sync>,
    },
    /// It is written in something whose feature of this crate is not turned on.
    FeatureOff {
        /// What the message says of itself.
        content_type: String,
        /// The feature of `millpond-nats` to turn on.
        feature: &'static str,
    },
    /// It is written in something that this crate does not know.
    UnknownContentType {
        /// What the message says of itself.
        content_type: String,
    },
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be written as {}: {}", self.type_name, self.codec, self.source)
    }
}

impl Error for EncodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

impl DecodeError {
    /// The type that was expected.
    ///
    /// ```
    /// let error = millpond_nats::decode::<u64>(None, b"four").unwrap_err();
    /// assert_eq!(error.expected(), "u64");
    /// ```
    pub fn expected(&self) -> &'static str {
        self.0.type_name
    }

    /// The version that the message carries: 0 without a header. What it should be, its reader knows.
    pub fn version(&self) -> u32 {
        self.0.version
    }

    /// Why it could not be read.
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Undecoded { type_name, version, kind } = &*self.0;
        match kind {
            DecodeErrorKind::Malformed { codec, source } => {
                write!(
                    f,
                    "the payload is no {type_name} in {codec} (the message is of version {version}): {source}"
                )
            }
            DecodeErrorKind::FeatureOff { content_type, feature } => write!(
                f,
                "the payload, expected to be {type_name}, is {content_type} (the message is of version {version}): turn on \
                 the feature `{feature}` of millpond-nats"
            ),
            DecodeErrorKind::UnknownContentType { content_type } => write!(
                f,
                "the payload, expected to be {type_name}, is {content_type:?} (the message is of version {version}), which \
                 is no codec of millpond-nats: publish it as one, or read the payload's bytes yourself"
            ),
        }
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecodeError")
            .field("expected", &self.0.type_name)
            .field("version", &self.0.version)
            .field("kind", &self.0.kind)
            .finish()
    }
}

impl Error for DecodeError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.kind {
            DecodeErrorKind::Malformed { source, .. } => Some(&**source),
            _ => None,
        }
    }
}
