//! A message on its way to the server, in what it takes to send it more than once.

use super::error::PublishError;
use crate::{codec::Codec, headers};
use async_nats::{HeaderMap, HeaderName, Subject};
use bytes::Bytes;
use std::{fmt::Write, sync::Arc};

const MESSAGE_ID: HeaderName = HeaderName::from_static(headers::MESSAGE_ID);
const CONTENT_TYPE: HeaderName = HeaderName::from_static(headers::CONTENT_TYPE);
const VERSION: HeaderName = HeaderName::from_static(headers::VERSION);

/// What the server counts of headers beside their lines: the line before and the empty one after them.
const HEADERS_FRAME_BYTES: usize = "NATS/1.0\r\n\r\n".len();
/// What it counts of each header beside name and value.
const HEADER_FRAME_BYTES: usize = ": \r\n".len();

/// All clones are the same message. The headers are made for each time that it is sent: they are cheaper to make than to keep.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) subject: Subject,
    pub(super) payload: Bytes,
    pub(super) id: MessageId,
    /// Counts the publisher's messages in the order in which they were given.
    pub(super) number: u64,
    pub(super) kind: Kind,
}

/// The `Nats-Msg-Id`.
#[derive(Clone, Debug)]
pub(super) enum MessageId {
    /// Ours: the publisher's own prefix and the message's number. Nobody else has it, so a duplicate can only be the same
    /// message sent again.
    Own,
    Given(Arc<str>),
}

/// Where the other headers come from.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// A value of a `serde` type.
    Value { codec: Codec, version: u32 },
    /// The user's headers and bytes.
    Raw(Arc<HeaderMap>),
}

impl Outgoing {
    /// Refuses what the server or the protocol would not take, before it takes anybody's room.
    pub(super) fn check(&self, id_prefix: &str, max_payload: usize) -> Result<(), PublishError> {
        if !is_publishable(&self.subject) {
            return Err(PublishError::InvalidSubject { subject: self.subject.to_string() });
        }
        if let MessageId::Given(id) = &self.id
            && (id.is_empty() || id.contains(['\r', '\n']))
        {
            return Err(PublishError::InvalidId { id: id.to_string() });
        }
        let size_bytes = self.size_bytes(id_prefix);
        if size_bytes > max_payload {
            return Err(PublishError::TooLarge {
                subject: self.subject.to_string(),
                size_bytes,
                limit_bytes: max_payload,
            });
        }
        Ok(())
    }

    /// As the server counts it: headers and payload.
    pub(super) fn size_bytes(&self, id_prefix: &str) -> usize {
        let line = |name: &str, value: usize| name.len() + value + HEADER_FRAME_BYTES;
        let id = match &self.id {
            MessageId::Own => id_prefix.len() + decimal_digits(self.number),
            MessageId::Given(id) => id.len(),
        };
        let others = match &self.kind {
            Kind::Value { codec, version } => {
                line(headers::CONTENT_TYPE, codec.content_type().len())
                    + line(headers::VERSION, decimal_digits(u64::from(*version)))
            }
            Kind::Raw(headers) => headers
                .iter()
                .filter(|(name, _)| **name != MESSAGE_ID)
                .flat_map(|(name, values)| values.iter().map(move |value| (name, value)))
                .map(|(name, value)| line(AsRef::<str>::as_ref(name), value.as_str().len()))
                .sum(),
        };
        HEADERS_FRAME_BYTES + line(headers::MESSAGE_ID, id) + others + self.payload.len()
    }

    pub(super) fn headers(&self, id_prefix: &str) -> HeaderMap {
        let mut headers = match &self.kind {
            Kind::Value { codec, version } => {
                let mut headers = HeaderMap::new();
                headers.insert(CONTENT_TYPE, codec.content_type());
                headers.insert(VERSION, decimal(*version));
                headers
            }
            Kind::Raw(headers) => HeaderMap::clone(headers),
        };
        headers.insert(MESSAGE_ID, self.id(id_prefix));
        headers
    }

    pub(super) fn id(&self, id_prefix: &str) -> String {
        match &self.id {
            MessageId::Own => {
                let mut id = String::with_capacity(id_prefix.len() + decimal_digits(self.number));
                id.push_str(id_prefix);
                write!(id, "{}", self.number).expect("a string grows");
                id
            }
            MessageId::Given(id) => id.to_string(),
        }
    }
}

fn decimal(version: u32) -> String {
    version.to_string()
}

fn decimal_digits(number: u64) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

/// A subject to publish to: tokens with dots between them, none of them empty, none of them a wildcard.
fn is_publishable(subject: &str) -> bool {
    let is_token = |token: &str| {
        !matches!(token, "" | "*" | ">") && !token.bytes().any(|byte| byte.is_ascii_whitespace() || byte == 0)
    };
    subject.split('.').all(is_token)
}

#[cfg(test)]
mod tests {
    use super::{Kind, MessageId, Outgoing, is_publishable};
    use crate::{Codec, PublishError};
    use async_nats::HeaderMap;
    use std::sync::Arc;

    fn outgoing(id: MessageId, kind: Kind) -> Outgoing {
        Outgoing { subject: "jobs".into(), payload: "12345".into(), id, number: 120, kind }
    }

    /// As the client writes them: a line before, one for each, an empty one after.
    fn written(headers: &HeaderMap) -> usize {
        let lines = headers.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        "NATS/1.0\r\n".len()
            + lines.map(|(name, value)| format!("{name}: {value}\r\n").len()).sum::<usize>()
            + 2
    }

    #[test]
    fn the_size_is_that_of_the_headers_as_written_and_the_payload() {
        let mut raw = HeaderMap::new();
        raw.append("Trace", "a");
        raw.append("Trace", "bc");
        raw.insert("Nats-Msg-Id", "replaced");
        for id in [MessageId::Own, MessageId::Given("path:/a/b".into())] {
            for kind in [Kind::Value { codec: Codec::Json, version: 10 }, Kind::Raw(Arc::new(raw.clone()))] {
                let message = outgoing(id.clone(), kind);
                assert_eq!(
                    message.size_bytes("prefix."),
                    written(&message.headers("prefix.")) + 5,
                    "{message:?}"
                );
            }
        }
    }

    #[test]
    fn a_message_of_just_the_limit_goes_and_one_byte_more_is_too_large() {
        let message = outgoing(MessageId::Own, Kind::Value { codec: Codec::Json, version: 0 });
        let size = message.size_bytes("p.");
        assert!(message.check("p.", size).is_ok());
        let error = message.check("p.", size - 1).unwrap_err();
        assert!(
            matches!(error, PublishError::TooLarge { size_bytes, limit_bytes, .. } if (size_bytes, limit_bytes) == (size, size - 1))
        );
    }

    #[test]
    fn a_subject_has_whole_tokens_without_wildcards_and_spaces() {
        for good in ["jobs", "jobs.hash.a", "jobs.a*b", "jobs.ü"] {
            assert!(is_publishable(good), "{good}");
        }
        for bad in ["", ".", "jobs.", ".jobs", "a..b", "jobs.*", "jobs.>", "a b", "a\r\nPUB x"] {
            assert!(!is_publishable(bad), "{bad}");
        }
    }

    #[test]
    fn an_id_cannot_bring_lines_of_its_own() {
        for bad in ["", "a\nNats-Rollup: all", "a\r"] {
            let message = outgoing(MessageId::Given(bad.into()), Kind::Raw(Arc::default()));
            assert!(matches!(message.check("p.", 1000), Err(PublishError::InvalidId { .. })), "{bad:?}");
        }
    }
}
