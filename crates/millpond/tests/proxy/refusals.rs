//! An upstream that takes no connection.

use std::io::Read;
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::time::Instant;

use rustix::net::{AddressFamily, SocketAddrAny, SocketType, bind, getsockname, socket};

use crate::common::unhung;
use crate::program::Proxy;
use crate::table::Row;

/// Whether the end comes before any byte does.
fn is_closed(mut client: TcpStream) -> bool {
    // An error is a reset, where the kernel still had something for the proxy.
    client.read(&mut [0]).is_ok_and(|read| read == 0)
}

#[test]
fn a_client_is_closed_when_the_upstream_refuses_and_a_line_says_why() {
    unhung("a_client_is_closed_when_the_upstream_refuses_and_a_line_says_why", || {
        // Bound and not listening: the port refuses, and is nobody else's.
        let port = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&port, &"127.0.0.1:0".parse::<std::net::SocketAddr>().expect("an address"))
            .expect("a free port");
        let address: SocketAddrAny = getsockname(&port).expect("it is bound");
        let address = std::net::SocketAddr::try_from(address).expect("an Internet address").to_string();
        let proxy = Proxy::start(&["--workers", "1"], &address);
        assert!(is_closed(proxy.client()));
        let ended = proxy.stop();
        assert_eq!(ended.table.total, Row { connections: 1, no_upstream: 1, ..Row::default() });
        assert_eq!(ended.errors, [format!("proxy: upstream {address}: Connection refused (os error 111)")]);
        assert_eq!(ended.status, Some(0));
    });
}

#[test]
fn a_refusal_is_told_of_once_a_second_at_most() {
    const CLIENTS: u64 = 200;
    unhung("a_refusal_is_told_of_once_a_second_at_most", || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("nobody");
        drop(UnixListener::bind(&path).expect("a new file"));
        let proxy = Proxy::start(&["--workers", "2"], &format!("unix:{}", path.display()));
        let started = Instant::now();
        for _ in 0..CLIENTS {
            assert!(is_closed(proxy.client()));
        }
        let ended = proxy.stop();
        let seconds = started.elapsed().as_secs();
        assert_eq!(ended.table.total.no_upstream, CLIENTS);
        let refusal = format!("proxy: upstream unix:{}: Connection refused (os error 111)", path.display());
        assert_eq!(ended.errors[0], refusal);
        let lines = ended.errors.len() as u64;
        assert!(lines <= 1 + seconds, "{lines} lines in {seconds} s and a bit: {:?}", ended.errors);
        for line in &ended.errors[1..] {
            let others = line.strip_prefix(&refusal).unwrap_or_default();
            assert!(others.ends_with(" more since the last line)"), "{line}");
        }
    });
}
