//! What the server says to a message.

use async_nats::{Message, StatusCode, jetstream::ErrorCode};
use serde::Deserialize;
use std::borrow::Cow;

/// Errors that say that there is no room.
const FULL: [ErrorCode; 6] = [
    // The store's own words: maximum messages or bytes exceeded, no space left on device.
    ErrorCode::STREAM_STORE_FAILED,
    ErrorCode::INSUFFICIENT_RESOURCES,
    ErrorCode::STORAGE_RESOURCES_EXCEEDED,
    ErrorCode::MEMORY_RESOURCES_EXCEEDED,
    ErrorCode::ACCOUNT_RESOURCES_EXCEEDED,
    ErrorCode::STREAM_MAX_STREAM_BYTES_EXCEEDED,
];

/// Errors that pass: the stream has no leader for now, works on the same id already, or has more to do than it can.
const BUSY: [ErrorCode; 4] = [
    ErrorCode::CLUSTER_NOT_AVAILABLE,
    ErrorCode::STREAM_OFFLINE,
    ErrorCode::STREAM_DUPLICATE_MESSAGE_CONFLICT,
    ErrorCode::STREAM_TOO_MANY_REQUESTS,
];

#[derive(Debug, PartialEq)]
pub(super) enum Answer<'a> {
    Stored {
        stream: Cow<'a, str>,
        sequence: u64,
        duplicate: bool,
    },
    /// Nobody listens to the subject now.
    NoStream,
    Full {
        stream: Cow<'a, str>,
        reason: Cow<'a, str>,
    },
    Busy {
        reason: Cow<'a, str>,
    },
    Refused {
        stream: Cow<'a, str>,
        code: u64,
        reason: Cow<'a, str>,
    },
    /// Not of JetStream: something else listens to the subject, and has answered first.
    Foreign,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    error: Option<Refusal<'a>>,
    #[serde(borrow, default)]
    stream: Cow<'a, str>,
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    duplicate: bool,
}

#[derive(Deserialize)]
struct Refusal<'a> {
    #[serde(default)]
    err_code: u64,
    #[serde(borrow, default)]
    description: Cow<'a, str>,
}

impl Answer<'_> {
    pub(super) fn of(message: &Message) -> Answer<'_> {
        if message.status == Some(StatusCode::NO_RESPONDERS) {
            return Answer::NoStream;
        }
        Answer::read(&message.payload)
    }

    fn read(payload: &[u8]) -> Answer<'_> {
        match serde_json::from_slice(payload) {
            Ok(Body { error: Some(error), stream, .. }) => Answer::refusal(stream, error),
            // Sequence numbers begin with 1.
            Ok(Body { stream, seq: sequence @ 1.., duplicate, .. }) => {
                Answer::Stored { stream, sequence, duplicate }
            }
            _ => Answer::Foreign,
        }
    }

    fn refusal<'a>(stream: Cow<'a, str>, error: Refusal<'a>) -> Answer<'a> {
        let code = ErrorCode(error.err_code);
        let reason = error.description;
        if FULL.contains(&code) {
            Answer::Full { stream, reason }
        } else if BUSY.contains(&code) {
            Answer::Busy { reason }
        } else {
            Answer::Refused { stream, code: code.0, reason }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[test]
    fn a_stored_message_has_stream_and_sequence() {
        let answer = Answer::read(br#"{"stream":"JOBS", "seq":7}"#);
        assert_eq!(answer, Answer::Stored { stream: "JOBS".into(), sequence: 7, duplicate: false });
        let answer =
            Answer::read(br#"{"stream":"JOBS","domain":"hub","seq":7,"duplicate": true,"new":{"x":[1]}}"#);
        assert_eq!(answer, Answer::Stored { stream: "JOBS".into(), sequence: 7, duplicate: true });
    }

    #[test]
    fn a_full_stream_is_full() {
        let answer = Answer::read(
            br#"{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},"stream":"JOBS","seq":0}"#,
        );
        assert_eq!(
            answer,
            Answer::Full { stream: "JOBS".into(), reason: "maximum messages exceeded".into() }
        );
    }

    #[test]
    fn what_passes_is_busy() {
        let answer = Answer::read(
            br#"{"error":{"code":503,"err_code":10008,"description":"JetStream system temporarily unavailable"}}"#,
        );
        assert_eq!(answer, Answer::Busy { reason: "JetStream system temporarily unavailable".into() });
    }

    #[test]
    fn any_other_refusal_keeps_code_and_words() {
        let answer = Answer::read(
            br#"{"error":{"code":400,"err_code":10054,"description":"message size exceeds \"maximum\" allowed"},"stream":"JOBS","seq":0}"#,
        );
        let reason = "message size exceeds \"maximum\" allowed".into();
        assert_eq!(answer, Answer::Refused { stream: "JOBS".into(), code: 10054, reason });
    }

    #[test]
    fn what_is_not_of_jetstream_is_foreign() {
        for payload in [&b""[..], b"pong", b"{}", br#"{"stream":"JOBS"}"#, b"[1]", b"\xff"] {
            assert_eq!(Answer::read(payload), Answer::Foreign, "{payload:?}");
        }
    }
}
