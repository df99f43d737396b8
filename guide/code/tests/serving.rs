//! The program and the piece of the chapter "Serving connections".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use millpond::Pool;
use millpond::net::{self, Balance};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// The program at work. Whoever drops it has it killed, so that a test that fails leaves nothing behind.
struct LineServer {
    program: Child,
    said: std::io::Lines<BufReader<ChildStdout>>,
    told: BufReader<ChildStderr>,
    addr: SocketAddr,
}

impl LineServer {
    fn start(log: &Path, idle_s: u64) -> LineServer {
        let mut program = Command::new(env!("CARGO_BIN_EXE_line_server"))
            .arg(log)
            .arg(idle_s.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(program.stdout.take().unwrap()).lines();
        let told = BufReader::new(program.stderr.take().unwrap());
        let first = said.next().unwrap().unwrap();
        let addr = first.strip_prefix("listening on ").unwrap().parse().unwrap();
        LineServer { program, said, told, addr }
    }

    fn connect(&self) -> BufReader<TcpStream> {
        BufReader::new(TcpStream::connect(self.addr).unwrap())
    }

    /// Sends the signal, and returns what the program says after it.
    fn terminate(mut self) -> Vec<String> {
        let id = rustix::process::Pid::from_raw(self.program.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        let said = self.said.by_ref().map(Result::unwrap).collect();
        assert!(self.program.wait().unwrap().success());
        said
    }
}

impl Drop for LineServer {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn ask(client: &mut BufReader<TcpStream>, line: &str) -> String {
    client.get_mut().write_all(line.as_bytes()).unwrap();
    let mut answer = String::new();
    client.read_line(&mut answer).unwrap();
    answer
}

/// Whether the server has ended the connection, when it has.
fn is_ended(mut client: BufReader<TcpStream>) -> bool {
    // Ended by the server; a hang is the watchdog's.
    client.read(&mut [0]).unwrap() == 0
}

#[test]
fn a_signal_ends_idle_connections_and_the_log_has_every_answer() {
    unhung("a_signal_ends_idle_connections_and_the_log_has_every_answer", || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let server = LineServer::start(&path, 3600);
        let mut clients = [server.connect(), server.connect(), server.connect()];
        let mut expected = Vec::new();
        for round in 0..20 {
            for client in &mut clients {
                assert_eq!(ask(client, &format!("line {round}\n")), format!("LINE {round}\n"));
                expected.push(client.get_ref().local_addr().unwrap());
            }
        }
        // Two requests in one packet, and the third in pieces.
        assert_eq!(ask(&mut clients[0], "one\ntwo\nth"), "ONE\n");
        assert_eq!(ask(&mut clients[0], "ree\n"), "TWO\n");
        assert_eq!(ask(&mut clients[0], ""), "THREE\n");
        let [gone, idle, other] = clients;
        drop(gone);

        let said = server.terminate();
        assert!(is_ended(idle) && is_ended(other));
        assert_eq!(said, ["3 of 3 connections served", "0 jobs aborted, 0 cut off", "63 lines logged"]);
        let log = std::fs::read_to_string(&path).unwrap();
        let peers: Vec<SocketAddr> =
            log.lines().map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect();
        // Each client waits for its answer, and the next asks after that.
        assert_eq!(peers[..60], expected);
        assert_eq!(peers.len(), 63);
    });
}

#[test]
fn a_silent_connection_is_ended_while_the_server_goes_on() {
    unhung("a_silent_connection_is_ended_while_the_server_goes_on", || {
        let folder = tempfile::tempdir().unwrap();
        let server = LineServer::start(&folder.path().join("log"), 1);
        assert!(is_ended(server.connect()));
        assert!(is_ended(server.connect()));
        assert_eq!(server.terminate()[0], "2 of 2 connections served");
    });
}

#[test]
fn a_line_without_an_end_is_refused() {
    unhung("a_line_without_an_end_is_refused", || {
        let folder = tempfile::tempdir().unwrap();
        let mut server = LineServer::start(&folder.path().join("log"), 3600);
        let mut client = server.connect();
        client.get_mut().write_all(&[b'x'; 8 * 1024]).unwrap();
        assert!(is_ended(client));
        let mut told = String::new();
        server.told.read_line(&mut told).unwrap();
        assert!(told.ends_with(": a line is too long\n"), "{told}");
    });
}

// ANCHOR: cut_off
fn a_connection_that_does_not_end(pool: Pool) {
    let (begin, begun) = mpsc::channel();
    let handler = move |_stream: monoio::net::TcpStream, _peer: SocketAddr| {
        let begin = begin.clone();
        async move {
            begin.send(()).expect("the test is there");
            std::future::pending().await // hears of no stop
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = net::serve(&pool, listener, Balance::default(), handler).expect("it serves");
    let _client = TcpStream::connect(server.local_addr()).expect("it listens");
    begun.recv().expect("it begins");

    let connections = server.shutdown_timeout_blocking(Duration::from_millis(10));
    assert_eq!((connections.served, connections.cut_off), (0, 1));
    let jobs = pool.shutdown_timeout_blocking(Duration::from_secs(10));
    assert_eq!((jobs.aborted, jobs.cut_off), (1, 0)); // by the server, not by the pool
}
// ANCHOR_END: cut_off

#[test]
fn a_connection_cut_off_is_an_aborted_job() {
    unhung("a_connection_cut_off_is_an_aborted_job", || {
        for pool in common::pools_on(common::io_drivers(), 2) {
            a_connection_that_does_not_end(pool);
        }
    });
}

#[test]
fn the_receipts_agree_on_panics_and_on_what_the_pool_cut_off() {
    unhung("the_receipts_agree_on_panics_and_on_what_the_pool_cut_off", || {
        for pool in common::pools_on(common::io_drivers(), 2) {
            let (begin, begun) = mpsc::channel();
            let handler = move |mut stream: monoio::net::TcpStream, _peer: SocketAddr| {
                let begin = begin.clone();
                async move {
                    begin.send(()).unwrap();
                    let read = monoio::io::AsyncReadRent::read(&mut stream, vec![0; 1]).await.0;
                    panic!("as asked: {read:?}");
                }
            };
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let server = net::serve(&pool, listener, Balance::default(), handler).unwrap();
            let panics = TcpStream::connect(server.local_addr()).unwrap();
            panics.shutdown(std::net::Shutdown::Write).unwrap();
            assert!(is_ended(BufReader::new(panics)));
            let _stays = TcpStream::connect(server.local_addr()).unwrap();
            (0..2).for_each(|_| begun.recv().unwrap());
            let jobs = pool.shutdown_timeout_blocking(Duration::from_millis(10));
            assert_eq!((jobs.panicked, jobs.aborted, jobs.cut_off), (1, 0, 1));
            let connections = server.shutdown_blocking();
            assert_eq!((connections.panicked, connections.cut_off), (1, 1));
        }
    });
}
