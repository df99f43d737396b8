//! Requests that depend on what the client has already.

use std::fs::File;
use std::time::{Duration, SystemTime};

use crate::support::{Folder, Server, VERSIONS};

/// The status for `/a` with these headers.
fn status(server: &Server, version: &str, headers: &[&str]) -> u16 {
    let options: Vec<&str> = headers.iter().flat_map(|header| ["--header", header]).collect();
    let got = server.get(version, "/a", &options);
    assert_eq!(got.body.is_empty(), got.status != 200 && got.status != 206, "{headers:?}: {got:?}");
    got.status
}

/// A file `a` of 17 November 2023, and its server.
fn dated() -> (Folder, Server) {
    let folder = Folder::new();
    folder.file("a", "content");
    let date = SystemTime::UNIX_EPOCH + Duration::new(1_700_200_000, 999_999_999);
    File::options()
        .write(true)
        .open(folder.path("a"))
        .and_then(|file| file.set_modified(date))
        .expect("a date");
    let server = folder.serve();
    (folder, server)
}

const THEN: &str = "Fri, 17 Nov 2023 05:46:40 GMT";
const EARLIER: &str = "Fri, 17 Nov 2023 05:46:39 GMT";

#[test]
fn what_the_client_has_already_is_not_sent_again() {
    let (_folder, server) = dated();
    for version in VERSIONS {
        let got = server.get(version, "/a", &[]);
        let tag = got.header("etag").expect("a tag");
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is strong");
        assert_eq!(got.header("last-modified"), Some(THEN));
        for (header, expected) in [
            (format!("If-None-Match: {tag}"), 304),
            (format!("If-None-Match: W/{tag}"), 304),
            (format!("If-None-Match: \"other\", {tag}"), 304),
            ("If-None-Match: *".to_owned(), 304),
            ("If-None-Match: \"other\"".to_owned(), 200),
            (format!("If-Modified-Since: {THEN}"), 304),
            (format!("If-Modified-Since: {EARLIER}"), 200),
            ("If-Modified-Since: yesterday".to_owned(), 200),
        ] {
            assert_eq!(status(&server, version, &[&header]), expected, "{header}");
        }
        let both = ["If-None-Match: \"other\"", &format!("If-Modified-Since: {THEN}")];
        assert_eq!(status(&server, version, &both), 200, "the tag decides");
        let kept = server.get(version, "/a", &["--header", &format!("If-None-Match: {tag}")]);
        assert_eq!(kept.header("etag"), Some(tag));
    }
}

#[test]
fn a_change_of_the_file_changes_its_tag() {
    let (folder, server) = dated();
    let before = server.get(VERSIONS[0], "/a", &[]);
    folder.file("a", "CONTENT");
    let header = format!("If-None-Match: {}", before.header("etag").expect("a tag"));
    server.get(VERSIONS[0], "/a", &["--header", &header]).assert(200, "CONTENT");
}

#[test]
fn a_condition_that_fails_is_412() {
    let (_folder, server) = dated();
    for version in VERSIONS {
        let got = server.get(version, "/a", &[]);
        let tag = got.header("etag").expect("a tag");
        for (header, expected) in [
            (format!("If-Match: {tag}"), 200),
            (format!("If-Match: W/{tag}"), 412),
            ("If-Match: *".to_owned(), 200),
            ("If-Match: \"other\"".to_owned(), 412),
            (format!("If-Unmodified-Since: {THEN}"), 200),
            (format!("If-Unmodified-Since: {EARLIER}"), 412),
        ] {
            assert_eq!(status(&server, version, &[&header]), expected, "{header}");
        }
    }
}

#[test]
fn a_part_is_sent_only_of_the_state_that_the_client_has() {
    let (_folder, server) = dated();
    for version in VERSIONS {
        let got = server.get(version, "/a", &[]);
        let tag = got.header("etag").expect("a tag");
        for (header, expected) in [
            (format!("If-Range: {tag}"), 206),
            (format!("If-Range: W/{tag}"), 200),
            ("If-Range: \"other\"".to_owned(), 200),
            (format!("If-Range: {THEN}"), 206),
            (format!("If-Range: {EARLIER}"), 200),
        ] {
            assert_eq!(status(&server, version, &["Range: bytes=1-2", &header]), expected, "{header}");
        }
    }
}

/// A date that HTTP cannot write, or that has not come, must not be said, and must not end the server.
#[test]
fn an_odd_date_is_left_out() {
    let folder = Folder::new();
    let day = Duration::from_secs(24 * 60 * 60);
    let dates =
        [SystemTime::UNIX_EPOCH - day, SystemTime::now() + day, SystemTime::UNIX_EPOCH + 4_000_000 * day];
    for (index, date) in dates.into_iter().enumerate() {
        let path = folder.file(index.to_string(), "content");
        File::options().write(true).open(path).and_then(|file| file.set_modified(date)).expect("a date");
    }
    let server = folder.serve();
    for index in 0..dates.len() {
        let got = server.get(
            VERSIONS[0],
            &format!("/{index}"),
            &["--header", &format!("If-Modified-Since: {THEN}")],
        );
        got.assert(200, "content");
        assert!(got.header("last-modified").is_none() && got.header("etag").is_some(), "{got:?}");
    }
}
