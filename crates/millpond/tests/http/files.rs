//! Files, whole, by GET and HEAD.

use std::io::{Read, Write};
use std::net::Shutdown;

use crate::support::{Folder, Got, VERSIONS, client, content};

#[test]
fn a_file_is_sent_whole_by_both_versions_of_http() {
    let folder = Folder::new();
    // Nothing; one write; one step of a file exactly; several and a rest; far more than a socket holds.
    let sizes = [0, 1, 1000, 65_535, 65_536, 65_537, 300_000, 9_000_001];
    for size in sizes {
        folder.file(format!("{size}"), content(size));
    }
    let server = folder.serve();
    for version in VERSIONS {
        for size in sizes {
            let got = server.get(version, &format!("/{size}"), &[]);
            got.assert(200, content(size));
            assert_eq!(got.header("content-length"), Some(size.to_string().as_str()));
            assert_eq!(got.header("accept-ranges"), Some("bytes"));
            assert!(got.header("date").is_some());
        }
    }
}

#[test]
fn head_has_the_headers_of_get_and_no_body() {
    let folder = Folder::new();
    folder.file("a.txt", content(100_000));
    let server = folder.serve();
    for version in VERSIONS {
        for path in ["/a.txt", "/missing"] {
            let (get, head) = (server.get(version, path, &[]), server.get(version, path, &["--head"]));
            head.assert(get.status, "");
            for name in ["content-length", "content-type", "etag", "last-modified", "accept-ranges"] {
                assert_eq!(head.header(name), get.header(name), "{name} of {path}");
            }
        }
        server.get(version, "/a.txt", &["--head", "--header", "Range: bytes=0-9"]).assert(200, "");
    }
}

#[test]
fn the_end_of_a_name_says_what_it_is() {
    let folder = Folder::new();
    let kinds = [
        ("a.html", "text/html; charset=utf-8"),
        ("a.HTML", "text/html; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.min.js", "text/javascript; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("a.wasm", "application/wasm"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a", "application/octet-stream"),
        ("html", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
        ("v1.2/a", "application/octet-stream"),
    ];
    for (name, _) in kinds {
        folder.file(name, name);
    }
    let server = folder.serve();
    for (name, kind) in kinds {
        let got = server.get(VERSIONS[0], &format!("/{name}"), &[]);
        got.assert(200, name);
        assert_eq!(got.header("content-type"), Some(kind), "{name}");
    }
}

#[test]
fn a_folder_is_its_page_and_is_never_listed() {
    let folder = Folder::new();
    folder.file("index.html", "the front");
    folder.file("with/index.html", "a page");
    folder.file("without/secret", "a secret");
    let server = folder.serve();
    for version in VERSIONS {
        server.get(version, "/", &[]).assert(200, "the front");
        server.get(version, "/with/", &[]).assert(200, "a page");
        server.get(version, "/without/", &[]).assert(404, "404 Not Found\n");
        for (path, location) in [("/with", "/with/"), ("/with?a=b", "/with/?a=b"), ("/w%69th", "/w%69th/")] {
            let got = server.get(version, path, &[]);
            assert_eq!((got.status, got.header("location")), (301, Some(location)));
        }
        server.get(version, "/index.html/", &[]).assert(404, "404 Not Found\n");
    }
}

#[test]
fn other_methods_are_told_what_is_allowed() {
    let folder = Folder::new();
    folder.file("a", "a");
    let server = folder.serve();
    for version in VERSIONS {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "FROBNICATE"] {
            let got = server.get(version, "/a", &["--request", method]);
            got.assert(405, "405 Method Not Allowed\n");
            assert_eq!(got.header("allow"), Some("GET, HEAD"));
        }
    }
}

/// On HTTP/2 h2load sees to it: curl 7.88, which is Debian 12's, spoils a connection of HTTP/2 by its second request.
#[test]
fn a_connection_serves_many_requests() {
    let folder = Folder::new();
    folder.file("a", "first");
    folder.file("b", content(200_000));
    let server = folder.serve();
    let urls = [server.url("/a"), server.url("/b"), server.url("/a")];
    let output =
        client("curl").args(["--silent", "--show-error", "--fail"]).args(urls).output().expect("curl runs");
    assert!(output.stdout == [b"first".as_slice(), &content(200_000), b"first"].concat());
    server.stop().assert_all_served(1, 3);
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let folder = Folder::new();
    for name in ["a", "b", "c"] {
        folder.file(name, name);
    }
    let server = folder.serve();
    let head = |name, more| format!("GET /{name} HTTP/1.1\r\nHost: x\r\n{more}\r\n");
    let requests = [head("a", ""), head("b", ""), head("c", "Connection: close\r\n")].concat();
    let answer = String::from_utf8(server.send(requests)).expect("text");
    let bodies: Vec<&str> =
        answer.split("HTTP/1.1 200 OK\r\n").skip(1).map(|one| &one[one.len() - 1..]).collect();
    assert_eq!(bodies, ["a", "b", "c"]);
}

#[test]
fn a_client_that_closes_its_side_gets_its_answer() {
    let folder = Folder::new();
    folder.file("a", content(1_000_000));
    let server = folder.serve();
    let mut stream = server.connect();
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n").expect("it listens");
    stream.shutdown(Shutdown::Write).expect("a socket");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it closes in order");
    Got::parse(&answer).assert(200, content(1_000_000));
}
