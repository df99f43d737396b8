//! The server as its users run it: as a program, and talked to by curl and by bare sockets.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::thread;

use support::Folder;

/// Far more than sockets and channels hold: a download of it is under way until it is read.
const LARGE_BYTES: usize = 64 << 20;

fn content(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at / 251 + at) as u8).collect()
}

#[test]
fn what_is_put_is_listed_and_got() {
    let folder = Folder::new();
    let server = folder.serve(&[]);
    let sent = content(10_000_000);
    let source = folder.outside("source");
    fs::write(&source, &sent).expect("a file");
    assert_eq!(server.put(&source, "/files/ten%20million").0, 201);
    assert_eq!(server.get("/files/ten%20million"), (200, sent));
    assert_eq!(server.get("/files"), (200, b"10000000 ten million\n".to_vec()));

    fs::write(&source, "").expect("a file");
    assert_eq!(server.put(&source, "/files/ten%20million").0, 201, "a file can be replaced");
    assert_eq!(server.get("/files/ten%20million"), (200, Vec::new()));
    assert_eq!(folder.names(), ["ten million"]);
    // Two uploads, each of which opens and renames beside the workers; two downloads, which open; and a listing.
    assert_eq!(server.end(), receipt(2 * 3 + 2 * 2 + 1));
}

#[test]
fn what_is_not_a_file_of_the_folder_is_not_found() {
    let folder = Folder::new();
    fs::write(folder.outside("secret"), "secret").expect("a file");
    fs::write(folder.path(".hidden"), "hidden").expect("a file");
    fs::create_dir(folder.path("inner")).expect("a folder");
    let server = folder.serve(&[]);
    for name in
        ["/files/missing", "/files/inner", "/files/.hidden", "/files/..", "/files/..%2fsecret", "/secret"]
    {
        assert_eq!(server.get(name).0, 404, "{name}");
    }
    assert_eq!(server.put(&folder.outside("secret"), "/files/..%2fcopy").0, 404);
    assert!(!folder.outside("copy").exists());
}

#[test]
fn an_upload_that_is_too_large_leaves_nothing() {
    let folder = Folder::new();
    let server = folder.serve(&["--max-bytes", "1000000"]);
    let source = folder.outside("source");
    fs::write(&source, content(1_000_000)).expect("a file");
    assert_eq!(server.put(&source, "/files/fits").0, 201);
    fs::write(&source, content(1_000_001)).expect("a file");
    assert_eq!(server.put(&source, "/files/too-large").0, 413);
    folder.wait_for(|names| names == ["fits"]);
}

#[test]
fn a_client_that_goes_away_while_it_uploads_leaves_nothing() {
    let folder = Folder::new();
    let server = folder.serve(&[]);
    let mut client = server.connect();
    let head = "PUT /files/a HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nand no more";
    client.write_all(head.as_bytes()).expect("the server listens");
    folder.wait_for(|names| names.len() == 1 && names[0].ends_with(".unfinished"));
    drop(client);
    folder.wait_for(|names| names.is_empty());
    // The job was aborted, or saw first that its parts had come to an end: in either case it was over before the stop.
    let report = server.end();
    assert!(report.ends_with("cut off 0, never started 0\n"), "{report}");
}

#[test]
fn a_client_that_goes_away_while_it_downloads_makes_room_for_another() {
    let folder = Folder::new();
    fs::write(folder.path("large"), content(LARGE_BYTES)).expect("a file");
    let server = folder.serve(&["--max-transfers", "1"]);
    let mut client = server.connect();
    client.write_all(b"GET /files/large HTTP/1.1\r\nHost: x\r\n\r\n").expect("the server listens");
    client.read_exact(&mut [0; 1000]).expect("the download begins");
    assert_eq!(server.get("/files/large").0, 503);
    drop(client);
    // Each turn is a request. The server's task finds out when it writes to the socket next.
    while server.get("/files/large").0 == 503 {
        thread::yield_now();
    }
}

#[test]
fn a_client_that_takes_nothing_costs_no_memory() {
    let folder = Folder::new();
    fs::File::create(folder.path("large")).and_then(|file| file.set_len(256 << 20)).expect("a file");
    let server = folder.serve(&[]);
    let mut client = server.connect();
    client.write_all(b"GET /files/large HTTP/1.1\r\nHost: x\r\n\r\n").expect("the server listens");
    client.read_exact(&mut [0; 1000]).expect("the download begins");
    // Meanwhile the first file could be read many times over.
    for _ in 0..3 {
        assert_eq!(server.get("/files/large").1.len(), 256 << 20);
    }
    let peak = server.peak_kib();
    assert!(peak < 64 << 10, "{peak} KiB");
}

#[test]
fn sigterm_lets_a_download_end_whole() {
    let folder = Folder::new();
    let large = content(LARGE_BYTES);
    fs::write(folder.path("large"), &large).expect("a file");
    let server = folder.serve(&[]);
    let mut client = server.connect();
    client.write_all(b"GET /files/large HTTP/1.1\r\nHost: x\r\n\r\n").expect("the server listens");
    let mut answer = vec![0; 1000];
    client.read_exact(&mut answer).expect("the download begins");
    server.terminate();
    server.wait_until_closed();
    client.read_to_end(&mut answer).expect("the download ends in order");
    assert!(answer.ends_with(&large), "{} bytes", answer.len());
    // The download, and its open.
    assert_eq!(server.end(), receipt(2));
}

#[test]
fn a_wrong_command_line_is_told() {
    for (args, told) in [
        (&["--workers", "x", "."][..], "invalid"),
        (&[], "the folder to serve is missing"),
        (&["/no/such/folder"], "/no/such/folder: "),
    ] {
        let ended = support::program().args(args).output().expect("the program starts");
        let stderr = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && stderr.contains(told), "{args:?}: {stderr}");
    }
}

#[test]
fn sigterm_ends_an_idle_server() {
    let server = Folder::new().serve(&[]);
    assert_eq!(server.end(), receipt(0));
}

/// That of jobs which all ended by themselves.
fn receipt(completed: u64) -> String {
    format!("completed {completed}, panicked 0, aborted 0, cut off 0, never started 0\n")
}
