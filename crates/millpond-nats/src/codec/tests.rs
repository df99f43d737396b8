use super::{Codec, DecodeErrorKind, decode};
use crate::headers;
use async_nats::HeaderMap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Work {
    path: String,
    bytes: u64,
    #[serde(default)]
    note: Option<String>,
}

fn work() -> Work {
    Work { path: "/a/b".into(), bytes: 70_000, note: None }
}

fn codecs() -> Vec<Codec> {
    vec![
        Codec::Json,
        #[cfg(feature = "messagepack")]
        Codec::MessagePack,
        #[cfg(feature = "postcard")]
        Codec::Postcard,
    ]
}

fn of_type(content_type: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(headers::CONTENT_TYPE, content_type);
    headers.insert(headers::VERSION, "7");
    headers
}

#[test]
fn what_is_encoded_is_decoded_by_its_content_type() {
    for codec in codecs() {
        let payload = codec.encode(&work()).unwrap();
        assert_eq!(
            decode::<Work>(Some(&of_type(codec.content_type())), &payload).unwrap(),
            work(),
            "{codec}"
        );
    }
}

#[test]
fn a_message_without_content_type_is_json() {
    let payload = Codec::Json.encode(&work()).unwrap();
    assert_eq!(decode::<Work>(None, &payload).unwrap(), work());
    assert_eq!(decode::<Work>(Some(&HeaderMap::new()), &payload).unwrap(), work());
}

#[test]
fn parameters_and_case_of_the_content_type_do_not_matter() {
    for content_type in
        ["application/json; charset=utf-8", "Application/JSON", "application/cloudevents+json"]
    {
        assert_eq!(decode::<u8>(Some(&of_type(content_type)), b"5").unwrap(), 5, "{content_type}");
    }
}

#[test]
fn a_decode_error_says_what_was_expected_and_which_version_came() {
    for codec in codecs() {
        let error = decode::<Work>(Some(&of_type(codec.content_type())), &[]).unwrap_err();
        assert!(matches!(error.kind(), DecodeErrorKind::Malformed { .. }), "{error:?}");
        assert_eq!((error.version(), error.expected().ends_with("Work")), (7, true));
        let text = error.to_string();
        for word in ["Work", "version 7", &codec.to_string()] {
            assert!(text.contains(word), "{text:?} lacks {word:?}");
        }
    }
}

#[test]
fn an_unknown_content_type_is_named() {
    let error = decode::<Work>(Some(&of_type("image/png")), b"{}").unwrap_err();
    assert!(matches!(error.kind(), DecodeErrorKind::UnknownContentType { .. }));
    assert!(error.to_string().contains("\"image/png\""), "{error}");
}

#[test]
#[cfg(not(feature = "messagepack"))]
fn a_codec_that_is_off_names_the_feature_messagepack() {
    let error = decode::<Work>(Some(&of_type("application/msgpack")), b"").unwrap_err();
    assert!(matches!(error.kind(), DecodeErrorKind::FeatureOff { feature: "messagepack", .. }));
    assert!(error.to_string().contains("turn on the feature `messagepack`"), "{error}");
}

#[test]
#[cfg(not(feature = "postcard"))]
fn a_codec_that_is_off_names_the_feature_postcard() {
    let error = decode::<Work>(Some(&of_type("application/postcard")), b"").unwrap_err();
    assert!(matches!(error.kind(), DecodeErrorKind::FeatureOff { feature: "postcard", .. }));
    assert!(error.to_string().contains("turn on the feature `postcard`"), "{error}");
}

#[test]
#[cfg(feature = "messagepack")]
fn messagepack_bears_a_field_more_and_a_field_less() {
    #[derive(Serialize, Deserialize)]
    struct Older {
        path: String,
        bytes: u64,
        gone: bool,
    }
    let older = Older { path: "/a/b".into(), bytes: 70_000, gone: true };
    let payload = Codec::MessagePack.encode(&older).unwrap();
    assert_eq!(decode::<Work>(Some(&of_type("application/msgpack")), &payload).unwrap(), work());
}

#[test]
#[cfg(feature = "postcard")]
fn postcard_refuses_what_is_left_over() {
    let mut payload = Codec::Postcard.encode(&work()).unwrap().to_vec();
    payload.push(0);
    let error = decode::<Work>(Some(&of_type("application/postcard")), &payload).unwrap_err();
    assert!(error.to_string().contains("left over"), "{error}");
}

#[test]
fn an_encode_error_names_type_and_codec() {
    let keys_are_no_strings = BTreeMap::from([((1, 2), 3)]);
    let error = Codec::Json.encode(&keys_are_no_strings).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("BTreeMap") && text.contains("JSON"), "{text}");
}

#[test]
fn a_version_that_is_no_number_is_none() {
    let mut headers = HeaderMap::new();
    assert_eq!(super::version(None), 0);
    assert_eq!(super::version(Some(&headers)), 0);
    headers.insert(headers::VERSION, "newest");
    assert_eq!(super::version(Some(&headers)), 0);
    headers.insert(headers::VERSION, "12");
    assert_eq!(super::version(Some(&headers)), 12);
}
