//! `Range: bytes=…`

use crate::support::{Folder, VERSIONS, content};

#[test]
fn a_range_is_answered_with_those_bytes() {
    let folder = Folder::new();
    let whole = content(200_000);
    folder.file("a", &whole);
    let server = folder.serve();
    for version in VERSIONS {
        for (range, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=10-19", 10..20),
            ("BYTES=10-19", 10..20),
            ("bytes=0-199999", 0..200_000),
            ("bytes=150000-", 150_000..200_000),
            ("bytes=1000-150000", 1000..150_001),
            ("bytes=199999-300000", 199_999..200_000),
            ("bytes=5-99999999999999999999999", 5..200_000),
            ("bytes=-1", 199_999..200_000),
            ("bytes=-200001", 0..200_000),
        ] {
            let got = server.get(version, "/a", &["--header", &format!("Range: {range}")]);
            got.assert(206, &whole[expected.clone()]);
            let place = format!("bytes {}-{}/200000", expected.start, expected.end - 1);
            assert_eq!(got.header("content-range"), Some(place.as_str()), "{range}");
            assert_eq!(got.header("content-length"), Some(expected.len().to_string().as_str()), "{range}");
        }
    }
}

#[test]
fn a_range_beyond_the_end_is_416() {
    let folder = Folder::new();
    folder.file("a", "0123456789");
    folder.file("empty", "");
    let server = folder.serve();
    for version in VERSIONS {
        for (path, range, length) in [
            ("/a", "bytes=10-", "bytes */10"),
            ("/a", "bytes=10-20", "bytes */10"),
            ("/a", "bytes=-0", "bytes */10"),
            ("/a", "bytes=99999999999999999999999-", "bytes */10"),
            ("/empty", "bytes=0-", "bytes */0"),
            ("/empty", "bytes=-1", "bytes */0"),
        ] {
            let got = server.get(version, path, &["--header", &format!("Range: {range}")]);
            got.assert(416, "416 Range Not Satisfiable\n");
            assert_eq!(got.header("content-range"), Some(length), "{range}");
        }
    }
}

#[test]
fn what_is_no_single_range_is_answered_with_the_whole() {
    let folder = Folder::new();
    folder.file("a", "0123456789");
    let server = folder.serve();
    for version in VERSIONS {
        for range in
            ["bytes=0-1,4-5", "bytes=", "bytes=-", "bytes=5-4", "bytes=a-b", "bytes=+1-2", "lines=0-1", "0-1"]
        {
            server.get(version, "/a", &["--header", &format!("Range: {range}")]).assert(200, "0123456789");
        }
    }
}
