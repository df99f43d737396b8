//! What a client may not do: send heads without end, bodies that nobody wants, or nothing for long.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::iter;
use std::net::Shutdown;
use std::time::Duration;

use crate::support::{Folder, Got, VERSIONS, client, content, program};

/// Far more than the buffers of a socket hold.
const LARGE_BYTES: usize = 64 << 20;

#[test]
fn a_head_that_is_too_large_is_431() {
    let folder = Folder::new();
    folder.file("a", "a");
    let server = folder.serve();
    for version in VERSIONS {
        let fits = format!("X-Large: {}", "x".repeat(8_000));
        server.get(version, "/a", &["--header", &fits]).assert(200, "a");
        let large = format!("X-Large: {}", "x".repeat(20_000));
        let got = server.get(version, "/a", &["--header", &large]);
        assert_eq!(got.status, 431, "{version}: {got:?}");
    }
}

/// Bytes that come after a close are answered with a reset, which takes the refusal away from who has not read it yet.
#[test]
fn a_client_that_is_refused_while_it_sends_is_heard_out() {
    let server = Folder::new().serve();
    // More than the kernel holds of it.
    let (too_much, rest) = ("x".repeat(20_000), "x".repeat(6_000_000));
    let head = "GET / HTTP/1.1\r\nHost: x\r\n";
    for (begin, status) in
        [(format!("{head}X-Much: {too_much}"), 431), (format!("{head}Content-Length: 6000000\r\n\r\n"), 413)]
    {
        let mut stream = server.connect();
        stream.write_all(begin.as_bytes()).expect("the server listens");
        // It is refused now, and goes on.
        let mut answer = vec![0; 1];
        stream.read_exact(&mut answer).expect("an answer");
        stream.write_all(rest.as_bytes()).expect("all of it is taken");
        stream.shutdown(Shutdown::Write).expect("a socket");
        stream.read_to_end(&mut answer).expect("it closes in order");
        assert_eq!(Got::parse(&answer).status, status);
    }
    server.stop().assert_all_served(2, 1);
}

#[test]
fn too_many_headers_are_431() {
    let folder = Folder::new();
    folder.file("a", "a");
    let server = folder.serve();
    let headers =
        |count: usize| -> String { (0..count).map(|index| format!("X-{index}: {index}\r\n")).collect() };
    for (count, status) in [(90, 200), (110, 431)] {
        let head = format!("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{}\r\n", headers(count));
        assert_eq!(Got::parse(&server.send(head)).status, status, "{count} headers");
    }
}

#[test]
fn a_small_body_is_heard_and_a_large_one_is_413() {
    let folder = Folder::new();
    folder.file("a", "a");
    let bodies = [("small", 10_000, 200, "a"), ("large", 3_000_000, 413, "413 Payload Too Large\n")];
    for (name, size, _, _) in bodies {
        fs::write(folder.outside(name), content(size)).expect("a file");
    }
    let server = folder.serve();
    for (name, _, status, page) in bodies {
        let body = format!("@{}", folder.outside(name).display());
        let data = ["--request", "GET", "--data-binary", &body, "--header"];
        // At once; in chunks, whose sum nobody knows before; and by a client that asks first.
        for header in ["Expect:", "Transfer-Encoding: chunked", "Expect: 100-continue"] {
            let got = server.get(VERSIONS[0], "/a", &[&data[..], &[header]].concat());
            got.assert(status, page);
            assert_eq!(got.header("connection"), (status == 413).then_some("close"));
        }
    }
    // curl 7.88, which is Debian 12's, takes an answer of HTTP/2 for an error while it still sends.
    for (name, method, status) in [("small", "GET", 200), ("large", "GET", 413), ("small", "POST", 405)] {
        for length in ["--verbose", "--no-content-length"] {
            let mut nghttp = client("nghttp");
            nghttp.args(["--verbose", length, "--header", &format!(":method: {method}"), "--data"]);
            let output =
                nghttp.arg(folder.outside(name)).arg(server.url("/a")).output().expect("nghttp runs");
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains(&format!(":status: {status}\n")), "{method} {name} {length}: {text}");
            // What is not heard out is reset, and that is no error.
            let resets = text.lines().skip_while(|line| !line.contains("recv RST_STREAM")).nth(1);
            assert!(
                resets.is_none_or(|reset| reset.contains("NO_ERROR")),
                "{method} {name} {length}: {text}"
            );
        }
    }
}

#[test]
fn a_connection_is_reused_after_a_small_body_and_closed_after_a_large_one() {
    let folder = Folder::new();
    folder.file("a", "a");
    let server = folder.serve();
    let head = |length| format!("GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    let requests = format!("{}{}{}", head(5), "12345", head(1_000_000));
    let answer = String::from_utf8(server.send(requests)).expect("text");
    let statuses: Vec<&str> =
        answer.split("HTTP/1.1 ").skip(1).filter_map(|answer| answer.split(' ').next()).collect();
    assert_eq!(statuses, ["200", "413"], "{answer}");
}

/// A client that never ends its head holds a connection for the header timeout, and no longer; others are not held up.
#[test]
fn a_slow_loris_is_cut_off() {
    let folder = Folder::new();
    folder.file("a", "a");
    let server = folder.serve_with(&["--header-timeout", "1"]);
    let beginnings: [&[u8]; 5] = [
        b"",
        b"GET /a HTTP/1.1\r\nHost: x\r\n",
        b"G",
        b"PRI * HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ];
    let many = beginnings.into_iter().flat_map(|beginning| iter::repeat_n(beginning, 20));
    let lorises: Vec<_> = many
        .map(|beginning| {
            let mut stream = server.connect();
            stream.write_all(beginning).expect("the server listens");
            stream
        })
        .collect();
    for version in VERSIONS {
        server.get(version, "/a", &[]).assert(200, "a");
    }
    for mut loris in lorises {
        // Ended by the server's close. What it may have said is its settings of HTTP/2.
        let mut said = Vec::new();
        let _ = loris.read_to_end(&mut said);
        assert!(!said.starts_with(b"HTTP/1.1"), "{:?}", String::from_utf8_lossy(&said));
    }
    server.stop().assert_all_served(102, 2);
}

/// One byte at a time is no way around it.
#[test]
fn a_loris_that_drips_is_cut_off_too() {
    let folder = Folder::new();
    let server = folder.serve_with(&["--header-timeout", "1"]);
    let mut stream = server.connect();
    stream.write_all(b"GET /a HTTP/1.1\r\nX: ").expect("the server listens");
    stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a limit");
    loop {
        let sent = stream.write_all(b"x");
        // A timeout is the pause between two drips; anything else is the server's close.
        match stream.read(&mut [0; 64]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock && sent.is_ok() => {}
            Ok(0) | Err(_) => break,
            Ok(_) => panic!("an answer to half a head"),
        }
    }
    server.stop().assert_all_served(1, 0);
}

#[test]
fn a_body_that_does_not_come_is_408() {
    let folder = Folder::new();
    folder.file("a", "a");
    let server = folder.serve_with(&["--header-timeout", "1"]);
    let answer = server.send("GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n123");
    Got::parse(&answer).assert(408, "408 Request Timeout\n");
}

/// Its answer is under way, and it takes nothing of it.
#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let folder = Folder::new();
    folder.file("large", content(LARGE_BYTES));
    let server = folder.serve_with(&["--stall-timeout", "1"]);
    let mut stream = server.connect();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").expect("the server listens");
    stream.read_exact(&mut [0; 100]).expect("the answer begins");
    // Ended by its own limit: the stop's grace is ten times as long, and would count it as cut off.
    server.stop().assert_all_served(1, 1);
    drop(stream);
}

#[test]
fn an_idle_connection_is_closed_after_its_time_and_not_before_it_was_idle() {
    let folder = Folder::new();
    folder.file("a", "a");
    let server = folder.serve_with(&["--idle-timeout", "1"]);
    let mut stream = server.connect();
    stream.write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n").expect("the server listens");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it closes in order");
    Got::parse(&answer).assert(200, "a");
    server.stop().assert_all_served(1, 1);
}

/// The limit on connections makes the next ones wait, and refuses none.
#[test]
fn beyond_the_limit_a_connection_waits_for_its_turn() {
    let folder = Folder::new();
    folder.file("a", "a");
    let server = folder.serve_with(&["--max-connections", "2"]);
    let request = b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let held: Vec<_> = (0..2).map(|_| server.connect()).collect();
    let mut third = server.connect();
    third.write_all(request).expect("the kernel holds it");
    third.set_nonblocking(true).expect("a socket");
    let early = third.peek(&mut [0]).expect_err("nothing has come");
    assert_eq!(early.kind(), ErrorKind::WouldBlock);
    third.set_nonblocking(false).expect("a socket");
    drop(held);
    let mut answer = Vec::new();
    third.read_to_end(&mut answer).expect("it closes in order");
    Got::parse(&answer).assert(200, "a");
    server.stop().assert_all_served(3, 1);
}

#[test]
fn a_wrong_command_line_is_status_2_and_a_wrong_setting_is_named() {
    let folder = Folder::new();
    let here = folder.path("");
    let here = here.to_str().expect("a temporary folder is text");
    for (args, status, error) in [
        (&["--frobnicate", here][..], 2, "invalid option '--frobnicate'; try --help"),
        (&["--workers", "0", here], 2, "number would be zero"),
        (&["--balance", "hash", here], 2, "it can be least, round-robin or reuse-port"),
        (&["--header-timeout", "0", here], 2, "whole seconds, at least 1"),
        (&["--max-connections", "-1", here], 2, "invalid digit"),
        (&[], 2, "no DIR is given"),
        (&[here, here], 2, "unexpected argument"),
        (&["/no/such/folder"], 1, "/no/such/folder: No such file or directory"),
        (
            &["--max-connections", "1000000000000", here],
            1,
            "--max-connections is 1000000000000, and the limit of ",
        ),
        (&["--addr", "127.0.0.1", here], 1, "--addr 127.0.0.1: "),
        (&["--addr", "192.0.2.1:1", here], 1, "--addr 192.0.2.1:1: "),
    ] {
        let output = program().args(args).output().expect("the program ends");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {complaint}");
        assert!(complaint.starts_with("http: ") && complaint.contains(error), "{args:?}: {complaint}");
    }
    let output = program().arg("--help").output().expect("the program ends");
    assert!(output.status.success() && output.stdout.starts_with(b"Serve the files"));
}
