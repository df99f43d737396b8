//! What goes through: bytes, ends and resets.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::set_socket_linger;

use crate::common::unhung;
use crate::program::Proxy;
use crate::table::Row;

const MIB: usize = 1024 * 1024;

/// A server of the test's own, and its address.
pub(crate) fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound").to_string();
    (listener, address)
}

/// Bytes without a pattern that a block size could hide in.
pub(crate) fn content(len: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// The next so many bytes.
pub(crate) fn read(stream: &mut impl Read, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    stream.read_exact(&mut bytes).expect("as many bytes");
    bytes
}

/// All that comes until the end.
pub(crate) fn rest(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("an end in order");
    bytes
}

/// Closes by a reset.
pub(crate) fn reset(stream: TcpStream) {
    set_socket_linger(&stream, Some(Duration::ZERO)).expect("a socket of ours");
}

/// Reads until there is no more, and gives why.
pub(crate) fn end(stream: &mut impl Read) -> Result<(), ErrorKind> {
    io::copy(stream, &mut io::sink()).map(drop).map_err(|error| error.kind())
}

/// Sends from one thread what comes back to another.
fn echoed(stream: TcpStream, sent: &[u8]) {
    thread::scope(|scope| {
        scope.spawn(|| {
            (&stream).write_all(sent).expect("the proxy reads");
            stream.shutdown(Shutdown::Write).expect("it is open");
        });
        assert!(rest(&mut &stream) == sent, "other bytes came back than were sent");
    });
}

#[test]
fn every_byte_arrives_and_is_counted_once_each_way() {
    unhung("every_byte_arrives_and_is_counted_once_each_way", || {
        let (upstream, address) = listener();
        thread::spawn(move || {
            for stream in upstream.incoming().flatten() {
                thread::spawn(move || {
                    io::copy(&mut &stream, &mut &stream).expect("an echo");
                    stream.shutdown(Shutdown::Write).expect("it is open");
                });
            }
        });
        let proxy = Proxy::start(&["--workers", "2"], &address);
        let lengths = [0, 1, 32 * 1024 - 1, 32 * 1024, 32 * 1024 + 1, MIB, 7 * MIB + 13, 20 * MIB];
        thread::scope(|scope| {
            for (seed, len) in (0..).zip(lengths) {
                let client = proxy.client();
                scope.spawn(move || echoed(client, &content(len, seed)));
            }
        });
        let ended = proxy.stop();
        let bytes = lengths.iter().sum::<usize>() as u64;
        let connections = lengths.len() as u64;
        let expected = Row { connections, to_upstream: bytes, to_client: bytes, ..Row::default() };
        assert_eq!(ended.table.total, expected);
        assert_eq!(ended.receipt, format!("served {connections}, panicked 0, cut off 0, refused 0"));
        assert_eq!((ended.status, ended.errors), (Some(0), Vec::new()));
    });
}

#[test]
fn unix_sockets_do_on_either_side() {
    unhung("unix_sockets_do_on_either_side", || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (listen, upstream) = (folder.path().join("listen"), folder.path().join("upstream"));
        let server = UnixListener::bind(&upstream).expect("a new file");
        let proxy = Proxy::start_at(
            &format!("unix:{}", listen.display()),
            &["--workers", "1"],
            &format!("unix:{}", upstream.display()),
        );
        let mut client = UnixStream::connect(&listen).expect("the proxy listens");
        let (mut server, _) = server.accept().expect("the proxy connects");
        client.write_all(b"question").expect("it is open");
        assert_eq!(read(&mut server, 8), b"question");
        client.shutdown(Shutdown::Write).expect("it is open");
        assert_eq!(rest(&mut server), b"");
        server.write_all(b"the answer").expect("it is open");
        drop(server);
        assert_eq!(rest(&mut client), b"the answer");
        let ended = proxy.stop();
        let expected = Row { connections: 1, to_upstream: 8, to_client: 10, ..Row::default() };
        assert_eq!((ended.table.total, ended.status), (expected, Some(0)));
        assert!(!listen.exists(), "the socket's file stayed behind");
    });
}

#[test]
fn a_half_close_is_passed_on_and_the_other_way_goes_on() {
    unhung("a_half_close_is_passed_on_and_the_other_way_goes_on", || {
        let (upstream, address) = listener();
        let proxy = Proxy::start(&["--workers", "1"], &address);
        for client_first in [true, false] {
            let (client, server) = proxy.connect(&upstream);
            let (mut first, mut second) = if client_first { (client, server) } else { (server, client) };
            first.write_all(b"all of it").expect("it is open");
            first.shutdown(Shutdown::Write).expect("it is open");
            assert_eq!(rest(&mut second), b"all of it");
            for part in [&b"the first part"[..], b"the second"] {
                second.write_all(part).expect("it is open");
                assert_eq!(read(&mut first, part.len()), part);
            }
            drop(second);
            assert_eq!(rest(&mut first), b"");
        }
        assert_eq!(proxy.stop().table.total.reset, 0);
    });
}

#[test]
fn a_reset_of_either_side_resets_the_other() {
    unhung("a_reset_of_either_side_resets_the_other", || {
        let (upstream, address) = listener();
        let proxy = Proxy::start(&["--workers", "1"], &address);
        for client_first in [true, false] {
            let (client, server) = proxy.connect(&upstream);
            let (mut first, mut second) = if client_first { (client, server) } else { (server, client) };
            first.write_all(b"some").expect("it is open");
            assert_eq!(read(&mut second, 4), b"some");
            reset(first);
            assert_eq!(end(&mut second), Err(ErrorKind::ConnectionReset), "client first: {client_first}");
        }
        let ended = proxy.stop();
        assert_eq!((ended.table.total.connections, ended.table.total.reset), (2, 2));
        assert_eq!((ended.status, ended.errors), (Some(0), Vec::new()));
    });
}

/// More than all buffers between the two hold.
#[test]
fn a_side_that_does_not_read_holds_the_other_up_and_loses_nothing() {
    unhung("a_side_that_does_not_read_holds_the_other_up_and_loses_nothing", || {
        let (upstream, address) = listener();
        let proxy = Proxy::start(&["--workers", "1"], &address);
        let (mut client, mut server) = proxy.connect(&upstream);
        let all = content(64 * MIB, 1);
        client.set_nonblocking(true).expect("a socket of ours");
        let (mut sent, mut full) = (0, 0);
        // Full for as long as the other way needs for a round: by then what could move on has moved.
        while full < 3 && sent < all.len() {
            match client.write(&all[sent..]) {
                Ok(bytes) => (sent, full) = (sent + bytes, 0),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    server.write_all(b"!").expect("it is open");
                    client.set_nonblocking(false).expect("a socket of ours");
                    assert_eq!(read(&mut client, 1), b"!");
                    client.set_nonblocking(true).expect("a socket of ours");
                    full += 1;
                }
            }
        }
        assert!(sent < all.len(), "nothing held the client up");
        client.set_nonblocking(false).expect("a socket of ours");
        thread::scope(|scope| {
            scope.spawn(|| {
                (&client).write_all(&all[sent..]).expect("the proxy reads");
                client.shutdown(Shutdown::Write).expect("it is open");
            });
            assert!(rest(&mut server) == all, "other bytes arrived than were sent");
        });
        drop(server);
        assert_eq!(
            proxy.stop().table.total.to_upstream,
            all.len() as u64,
            "not every write takes all there is"
        );
    });
}

#[test]
fn a_connection_on_which_nothing_moves_is_ended_and_a_busy_one_is_not() {
    unhung("a_connection_on_which_nothing_moves_is_ended_and_a_busy_one_is_not", || {
        let (upstream, address) = listener();
        let proxy = Proxy::start(&["--workers", "1", "--idle-timeout", "3"], &address);
        let (mut quiet, mut quiet_server) = proxy.connect(&upstream);
        let (mut busy, mut busy_server) = proxy.connect(&upstream);
        let ends = thread::spawn(move || (end(&mut quiet), end(&mut quiet_server)));
        while !ends.is_finished() {
            busy.write_all(b"x").expect("it is open");
            assert_eq!(read(&mut busy_server, 1), b"x");
        }
        let reset = Err(ErrorKind::ConnectionReset);
        assert_eq!(ends.join().expect("it does not panic"), (reset, reset));
        busy.write_all(b"y").expect("it is open");
        assert_eq!(read(&mut busy_server, 1), b"y");
    });
}

#[test]
fn of_more_connections_than_allowed_the_rest_waits() {
    unhung("of_more_connections_than_allowed_the_rest_waits", || {
        let (upstream, address) = listener();
        let mut proxy = Proxy::start(&["--workers", "2", "--max-connections", "2"], &address);
        let (first, _first) = proxy.connect(&upstream);
        let (mut second, mut second_server) = proxy.connect(&upstream);
        let mut third = proxy.client();
        third.write_all(b"patient").expect("the kernel takes it");
        second.write_all(b"x").expect("it is open");
        assert_eq!(read(&mut second_server, 1), b"x");
        assert_eq!(proxy.table().total.connections, 2);
        reset(first);
        let (mut third_server, _) = upstream.accept().expect("the proxy connects");
        assert_eq!(read(&mut third_server, 7), b"patient");
    });
}
