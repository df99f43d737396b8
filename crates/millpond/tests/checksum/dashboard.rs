//! The live page of the program's own pool, while it works.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::support::{Tree, line};

#[test]
fn the_dashboard_shows_the_pool_that_hashes() {
    let tree = Tree::new();
    let expected = tree.file("a", "first");
    // Nobody writes to it until the page has been seen, and the program reads it to its end.
    let fifo = tree.fifo("fifo");
    let mut command = tree.command(["--workers", "2", "--dashboard", "127.0.0.1:0", "a", "fifo"]);
    let mut child = command.stderr(Stdio::piped()).spawn().expect("the program starts");
    let mut stderr = BufReader::new(child.stderr.take().expect("a pipe"));
    let mut said = String::new();
    stderr.read_line(&mut said).expect("a pipe");
    let host = said.trim().strip_prefix("checksum: the pool is shown at http://");
    let host = host.unwrap_or_else(|| panic!("{said:?} names no address")).trim_end_matches('/');
    let mut json = get_json(host);
    assert_eq!(json["name"], "checksum");
    // The page is there first. Then walking begins, and goes on: it waits for the FIFO.
    while json["blocking"]["tasks"] == 0 {
        json = get_json(host);
    }
    assert_eq!(json["workers"].as_array().map(Vec::len), Some(2), "{json}");
    fs::write(fifo, "x").expect("a FIFO");
    let output = child.wait_with_output().expect("the program ends");
    assert!(output.status.success(), "{output:?}");
    let expected = expected + &line(blake3::hash(b"x"), "fifo");
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}

fn get_json(host: &str) -> serde_json::Value {
    let mut stream = TcpStream::connect(host).expect("it listens");
    write!(stream, "GET /json HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text, to the end");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a head has an end");
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}
