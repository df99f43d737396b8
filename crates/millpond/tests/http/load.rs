//! Load, by the clients that people measure servers with: every request is counted, and none fails.

use std::process::Command;

use crate::support::{Folder, Server, client, content};

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the client runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {} {text} {complaint}", output.status);
    text
}

/// The number in front of `word` in the line that begins so.
fn number(text: &str, line: &str, word: &str) -> u64 {
    let line = text.lines().map(str::trim).find(|found| found.starts_with(line));
    let line = line.unwrap_or_else(|| panic!("no line {line:?} in {text}"));
    let before = line.split(word).next().expect("split gives one").trim();
    let digits = before.rsplit(|char: char| !char.is_ascii_digit()).next().expect("split gives one");
    digits.parse().unwrap_or_else(|_| panic!("no number before {word:?} in {line:?}"))
}

fn served() -> (Folder, Server) {
    let folder = Folder::new();
    folder.file("small", content(1000));
    folder.file("large", content(300_000));
    let server = folder.serve();
    (folder, server)
}

#[test]
fn h2load_counts_every_request_by_both_versions() {
    let (_folder, server) = served();
    for (version, streams) in [("--h1", "1"), ("--no-tls-proto=h2c", "20")] {
        for (path, requests) in [("/small", "20000"), ("/large", "1000")] {
            let mut h2load = client("h2load");
            h2load
                .args([version, "-n", requests, "-c", "16", "-m", streams, "-t", "2"])
                .arg(server.url(path));
            let text = run(&mut h2load);
            for (word, expected) in
                [("succeeded", requests), ("failed", "0"), ("errored", "0"), ("timeout", "0")]
            {
                assert_eq!(number(&text, "requests:", word).to_string(), expected, "{word}: {text}");
            }
            assert_eq!(number(&text, "status codes:", "2xx").to_string(), requests, "{text}");
        }
    }
    server.stop().assert_all_served(4 * 16, 2 * 21_000);
}

#[test]
fn wrk_finds_no_error() {
    let (_folder, server) = served();
    let mut total = 0;
    for path in ["/small", "/large"] {
        let mut wrk = client("wrk");
        let text = run(wrk.args(["-t", "2", "-c", "64", "-d", "2s"]).arg(server.url(path)));
        assert!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "{text}");
        let line = text.lines().find(|line| line.contains(" requests in ")).expect("a count");
        total += number(&text, line.trim(), "requests in");
    }
    let report = server.stop();
    // wrk tries the address with a connection of its own; and at the end of its time it leaves with up to one request a
    // connection under way.
    assert_eq!((report.served, report.unserved), (2 * 65, 0));
    assert!((total..=total + 2 * 64).contains(&report.requests), "{total} and {report:?}");
}
