//! How the server ends.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::process::Stdio;
use std::thread;

use rustix::process::Signal;

use crate::support::{Folder, Got, Server, VERSIONS, client, content};

/// Far more than the buffers of a socket hold: a download of it is under way until it is read.
const LARGE_BYTES: usize = 64 << 20;

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// Waits until nobody accepts any more.
fn wait_until_closed(server: &Server) {
    let addr = server.addr.to_socket_addrs().expect("an address").next().expect("one");
    // Each turn is a connection; one that came too late to be accepted is reset, and means no harm.
    while TcpStream::connect(addr).is_ok() {
        thread::yield_now();
    }
}

#[test]
fn sigterm_during_a_download_lets_it_end_whole() {
    let folder = Folder::new();
    let large = content(LARGE_BYTES);
    folder.file("large", &large);
    for signal in [Signal::TERM, Signal::INT] {
        let server = folder.serve();
        let mut stream = server.connect();
        stream.write_all(request("/large").as_bytes()).expect("the server listens");
        let mut answer = vec![0; 1000];
        stream.read_exact(&mut answer).expect("the download begins");
        server.signal(signal);
        wait_until_closed(&server);
        stream.read_to_end(&mut answer).expect("the download ends in order");
        Got::parse(&answer).assert(200, &large);
        let (status, report) = server.end();
        assert_eq!(status, Some(0), "{report}");
        assert!(report.contains("panicked 0, cut off 0, refused 0\n"), "{report}");
    }
}

#[test]
fn sigterm_during_a_download_of_http_2_lets_it_end_whole() {
    let folder = Folder::new();
    let large = content(LARGE_BYTES);
    folder.file("large", &large);
    let server = folder.serve();
    let mut curl = client("curl");
    curl.args(["--silent", "--show-error", "--fail", VERSIONS[1]]).arg(server.url("/large"));
    let mut curl = curl.stdout(Stdio::piped()).spawn().expect("curl runs");
    let mut stdout = curl.stdout.take().expect("a pipe");
    let mut body = vec![0; 1000];
    stdout.read_exact(&mut body).expect("the download begins");
    server.signal(Signal::TERM);
    wait_until_closed(&server);
    stdout.read_to_end(&mut body).expect("a pipe");
    assert!(curl.wait().expect("curl ends").success());
    assert!(body == large, "{} bytes", body.len());
    let (status, report) = server.end();
    assert_eq!(status, Some(0), "{report}");
    assert!(report.contains("panicked 0, cut off 0, refused 0\n"), "{report}");
}

#[test]
fn idle_connections_are_closed_by_the_stop() {
    let folder = Folder::new();
    folder.file("a", "a");
    let server = folder.serve();
    let mut fresh = server.connect();
    let mut kept = server.connect();
    kept.write_all(request("/a").as_bytes()).expect("the server listens");
    let mut answer = vec![0; 1];
    kept.read_exact(&mut answer).expect("an answer");
    server.signal(Signal::TERM);
    // Both end with an orderly close: no error, and no byte too many.
    kept.read_to_end(&mut answer).expect("it closes in order");
    Got::parse(&answer).assert(200, "a");
    assert_eq!(fresh.read(&mut [0; 1]).expect("it closes in order"), 0);
    // By themselves, and not by the end of the grace.
    server.finish().assert_all_served(2, 1);
}

/// A client that takes nothing of its answer holds the end up for the grace, and no longer.
#[test]
fn a_client_that_does_not_read_is_cut_off_after_the_grace() {
    let folder = Folder::new();
    folder.file("large", content(LARGE_BYTES));
    let server = folder.serve();
    let mut stream = server.connect();
    stream.write_all(request("/large").as_bytes()).expect("the server listens");
    stream.read_exact(&mut [0; 100]).expect("the download begins");
    server.signal(Signal::TERM);
    let (status, report) = server.end();
    assert_eq!(status, Some(0), "{report}");
    assert!(report.contains("cut off 1,"), "{report}");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.len() < LARGE_BYTES, "it was cut off");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = Folder::new();
    folder.file("large", content(LARGE_BYTES));
    let server = folder.serve();
    let mut stream = server.connect();
    stream.write_all(request("/large").as_bytes()).expect("the server listens");
    stream.read_exact(&mut [0; 100]).expect("the download begins");
    server.signal(Signal::TERM);
    wait_until_closed(&server);
    server.signal(Signal::INT);
    assert_eq!(server.end(), (Some(130), String::new()));
}

/// A file that is cut while it is sent cannot be sent whole: the client is told so by the close, not by a wrong end.
#[test]
fn a_file_that_is_cut_while_it_is_sent_ends_the_connection() {
    let folder = Folder::new();
    let path = folder.file("large", content(LARGE_BYTES));
    let server = folder.serve();
    let mut stream = server.connect();
    stream.write_all(request("/large").as_bytes()).expect("the server listens");
    stream.read_exact(&mut [0; 100]).expect("the download begins");
    std::fs::File::options().write(true).open(path).and_then(|file| file.set_len(1)).expect("it is cut");
    let mut rest = Vec::new();
    if let Err(error) = stream.read_to_end(&mut rest) {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    assert!(rest.len() < LARGE_BYTES, "it was cut");
    assert_eq!(server.get(VERSIONS[0], "/large", &[]).body.len(), 1);
    server.stop().assert_all_served(2, 2);
}

/// Clients that go away in the midst of everything leave nothing behind, and others are served on.
#[test]
fn clients_that_go_away_leave_nothing_behind() {
    let folder = Folder::new();
    folder.file("large", content(LARGE_BYTES));
    folder.file("a", "a");
    let server = folder.serve();
    for beginning in ["", "GET /lar", &request("/large"), &request("/a"), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        for _ in 0..50 {
            let mut stream = server.connect();
            stream.write_all(beginning.as_bytes()).expect("the server listens");
        }
    }
    server.get(VERSIONS[1], "/a", &[]).assert(200, "a");
    let report = server.stop();
    assert_eq!((report.served, report.unserved), (251, 0), "{report:?}");
}
