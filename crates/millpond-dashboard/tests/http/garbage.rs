//! What is no request.

use std::io::{Read, Write};
use std::time::Duration;

use millpond_dashboard::Dashboard;

use crate::common::unhung;
use crate::support::{Got, connect, exchange, request, send, serve, serve_with};

/// Enough for each kind of damage to meet each part of a head; a few seconds.
const CASES: u64 = 600;

/// Numbers by chance that are the same in each run (SplitMix64): what fails, fails again.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

/// A request that is damaged in one way or another, or bytes that never were one.
fn damaged(chance: &mut Chance) -> Vec<u8> {
    let path = ["/", "/json", "/metrics", "/nothing", "*"][chance.below(5)];
    let mut bytes = request("GET", path, "Accept: */*\r\nX-Some: thing\r\n").into_bytes();
    let at = chance.below(bytes.len());
    match chance.below(7) {
        0 => return (0..chance.below(200)).map(|_| chance.next() as u8).collect(),
        1 => bytes[at] = chance.next() as u8,
        2 => bytes.truncate(at),
        3 => drop(bytes.remove(at)),
        4 => bytes.insert(at, [b'\r', b'\n', b' ', b':', 0, 0xff][chance.below(6)]),
        5 => drop(bytes.splice(at..at, vec![b'a'; 20_000])),
        _ => bytes.extend_from_within(at..),
    }
    bytes
}

#[test]
fn whatever_is_sent_the_answer_is_http_and_the_pool_is_well() {
    unhung("whatever_is_sent_the_answer_is_http_and_the_pool_is_well", || {
        let served = serve();
        for seed in 0..CASES {
            let bytes = damaged(&mut Chance(seed));
            let answer = exchange(served.addr(), &bytes);
            // Who says nothing gets none; and one that sends on after its refusal may lose it to a reset.
            if bytes.is_empty() || answer.is_empty() && bytes.len() > 16 * 1024 {
                continue;
            }
            let got = Got::parse(&answer);
            let known = [200, 400, 403, 404, 405, 431, 505];
            assert!(known.contains(&got.status), "seed {seed}: {got:?}");
        }
        assert_eq!(served.get("/json").status, 200);
        assert_eq!(served.pool.metrics().jobs.panicked, 0);
    });
}

#[test]
fn each_fault_has_its_own_answer() {
    let served = serve();
    let field = |name: &str, bytes: usize| format!("{name}: {}\r\n", "x".repeat(bytes));
    let cases = [
        (request("GET", "/", &field("X-Fits", 12_000)), 200),
        (request("GET", "/", &field("X-Large", 20_000)), 431),
        (request("GET", "/", &field("X", 1).repeat(70)), 431),
        ("GET / HTTP/3.0\r\n\r\n".to_owned(), 505),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 505),
        ("\u{16}\u{3}\u{1} a TLS hello".to_owned(), 400),
        ("GET /\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.1\r\nHost".to_owned(), 400),
    ];
    for (bytes, status) in cases {
        assert_eq!(send(served.addr(), &bytes).status, status, "{bytes:.60}");
    }
}

#[test]
fn a_head_that_does_not_come_is_waited_for_no_longer_than_the_limit() {
    unhung("a_head_that_does_not_come_is_waited_for_no_longer_than_the_limit", || {
        let served = serve_with(Dashboard::builder().head_timeout(Duration::from_millis(100)));
        for begin in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: localhost\r\n"] {
            let mut stream = connect(served.addr());
            stream.write_all(begin.as_bytes()).expect("the dashboard listens");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).expect("it closes in order");
            assert_eq!(Got::parse(&answer).status, 408, "{begin:?}");
        }
    });
}

#[test]
fn what_follows_a_request_is_not_answered() {
    let served = serve();
    let two = request("GET", "/nothing", "").repeat(2);
    let answer = exchange(served.addr(), two.as_bytes());
    let heads = answer.windows(9).filter(|nine| nine == b"HTTP/1.1 ").count();
    assert_eq!(heads, 1, "{}", String::from_utf8_lossy(&answer));
}
