//! Many connections at once, and which worker has how many.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::{Folder, Report, Server, content};

/// Threads of the client, each with its share of the connections.
const THREADS: usize = 8;

/// What a browser asks for again and again on a connection: a page, a picture, a part of one, and what it has already.
const ROUNDS: usize = 5;

/// A connection that is kept, and reads as many bytes as each answer says it has.
struct Browser {
    stream: BufReader<TcpStream>,
}

impl Browser {
    fn greet(server: &Server) -> Self {
        let mut browser = Self { stream: BufReader::new(server.connect()) };
        browser.ask("/", "");
        assert_eq!(browser.hear().0, 200);
        browser
    }

    fn ask(&mut self, path: &str, headers: &str) {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n{headers}\r\n");
        self.stream.get_mut().write_all(head.as_bytes()).expect("the server listens");
    }

    /// The status and the body of the next answer, and its tag.
    fn hear(&mut self) -> (u16, Vec<u8>, Option<String>) {
        let (mut status, mut length, mut tag) = (None, 0, None);
        loop {
            let mut line = String::new();
            assert_ne!(
                self.stream.read_line(&mut line).expect("an answer"),
                0,
                "closed in the midst of a head"
            );
            match line.trim_end().split_once(": ") {
                Some(("content-length", value)) => length = value.parse().expect("a length"),
                Some(("etag", value)) => tag = Some(value.to_owned()),
                Some(_) => {}
                None if line == "\r\n" => break,
                None => status = line.split(' ').nth(1).and_then(|status| status.parse().ok()),
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("a body");
        (status.expect("a status"), body, tag)
    }
}

/// One visit: every answer is right.
fn visit(browsers: &mut [Browser], picture: &[u8]) {
    for _ in 0..ROUNDS {
        // All ask before any hears: the server has them all at once.
        browsers.iter_mut().for_each(|browser| browser.ask("/", ""));
        for browser in &mut *browsers {
            let (status, body, tag) = browser.hear();
            assert_eq!((status, body.as_slice()), (200, b"the page".as_slice()));
            browser.ask("/", &format!("If-None-Match: {}\r\n", tag.expect("a tag")));
            assert_eq!(browser.hear().0, 304);
            browser.ask("/picture.png", "");
            let (status, body, _) = browser.hear();
            assert!(status == 200 && body == picture, "{status} and {} bytes", body.len());
            browser.ask("/picture.png", "Range: bytes=50000-\r\n");
            let (status, body, _) = browser.hear();
            assert!(status == 206 && body == picture[50_000..], "{status} and {} bytes", body.len());
        }
    }
}

/// A client has as many descriptors as its server.
fn raise_limit(connections: usize) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wanted = connections as u64 + 100;
    assert!(maximum.is_none_or(|maximum| maximum >= wanted), "this test needs `ulimit -Hn {wanted}`");
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).expect("within what is allowed");
}

/// `count` connections that are all open at once, and their server's report. `count` must divide by the threads.
fn browse(options: &[&str], count: usize) -> Report {
    raise_limit(count);
    let folder = Folder::new();
    let picture = content(100_000);
    folder.file("index.html", "the page");
    folder.file("picture.png", &picture);
    let server = folder.serve_alone(options);
    // Each is answered before the next one comes: a worker that was late has the time to catch up.
    let mut browsers: Vec<Browser> = (0..count).map(|_| Browser::greet(&server)).collect();
    thread::scope(|scope| {
        for share in browsers.chunks_mut(count / THREADS) {
            scope.spawn(|| visit(share, &picture));
        }
    });
    // Told to stop with all of them open and idle: it closes them, and has not cut one off.
    let report = server.stop();
    report.assert_all_served(count as u64, (count * (1 + ROUNDS * 4)) as u64);
    drop(browsers);
    report
}

/// No worker has more than its even share and so many percent. It is not all of them exactly: on a busy machine a
/// worker may come too late to take a connection, which then goes to another.
#[track_caller]
fn assert_even(report: &Report, percent: u64) {
    let (workers, total) = (report.connections.len() as u64, report.connections.iter().sum::<u64>());
    let most = report.connections.iter().max().copied().unwrap_or(0);
    assert!(most * workers * 100 <= total * (100 + percent), "{report:?}");
}

#[test]
fn a_thousand_kept_connections_get_right_answers_and_are_spread_evenly() {
    assert_even(&browse(&["--workers", "4"], 1000), 2);
}

#[test]
fn connections_taken_in_turn_are_spread_evenly_too() {
    assert_even(&browse(&["--workers", "4", "--balance", "round-robin"], 200), 10);
}

/// The kernel's hash spreads them as it likes: only the answers are promised.
#[test]
fn connections_of_a_shared_port_get_right_answers() {
    browse(&["--workers", "4", "--balance", "reuse-port"], 64);
}
