//! How the program ends.

use std::io::{ErrorKind, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::process::ExitStatusExt;

use rustix::process::Signal;

use crate::common::unhung;
use crate::program::Proxy;
use crate::relay::{content, end, listener, read, rest};
use crate::table::Row;

/// Waits until nobody listens there any more: only then may another do so.
fn wait_until_closed(address: &str) {
    while TcpListener::bind(address).is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn a_stop_lets_a_transfer_end() {
    unhung("a_stop_lets_a_transfer_end", || {
        for signal in [Signal::TERM, Signal::INT] {
            let (upstream, address) = listener();
            let proxy = Proxy::start(&["--workers", "2"], &address);
            let (mut client, mut server) = proxy.connect(&upstream);
            client.write_all(b"begun").expect("it is open");
            assert_eq!(read(&mut server, 5), b"begun");
            proxy.signal(signal);
            wait_until_closed(&proxy.address);
            let answer = content(1 << 20, 1);
            server.write_all(&answer).expect("it is open");
            assert!(read(&mut client, answer.len()) == answer);
            client.write_all(b"ended").expect("it is open");
            client.shutdown(Shutdown::Write).expect("it is open");
            assert_eq!(rest(&mut server), b"ended");
            drop(server);
            assert_eq!(rest(&mut client), b"");
            let ended = proxy.wait();
            let expected = Row { connections: 1, to_upstream: 10, to_client: 1 << 20, ..Row::default() };
            assert_eq!(ended.table.total, expected);
            assert_eq!(ended.receipt, "served 1, panicked 0, cut off 0, refused 0");
            assert_eq!((ended.status, ended.errors), (Some(0), Vec::new()));
        }
    });
}

/// It takes the ten seconds.
#[test]
fn what_has_not_ended_ten_seconds_after_the_stop_is_reset() {
    unhung("what_has_not_ended_ten_seconds_after_the_stop_is_reset", || {
        let (upstream, address) = listener();
        let proxy = Proxy::start(&["--workers", "1"], &address);
        let (mut client, mut server) = proxy.connect(&upstream);
        let ended = proxy.stop();
        assert_eq!(ended.table.total, Row { connections: 1, reset: 1, ..Row::default() });
        assert_eq!(ended.receipt, "served 0, panicked 0, cut off 1, refused 0");
        assert_eq!((ended.status, ended.errors), (Some(0), Vec::new()));
        let reset = Err(ErrorKind::ConnectionReset);
        assert_eq!((end(&mut client), end(&mut server)), (reset, reset));
    });
}

#[test]
fn a_second_signal_ends_it_at_once() {
    unhung("a_second_signal_ends_it_at_once", || {
        let (upstream, address) = listener();
        let proxy = Proxy::start(&["--workers", "1"], &address);
        let _open = proxy.connect(&upstream);
        proxy.signal(Signal::TERM);
        wait_until_closed(&proxy.address);
        proxy.signal(Signal::TERM);
        assert_eq!(proxy.wait_for_signal().signal(), Some(Signal::TERM.as_raw()));
    });
}

#[test]
fn sigusr1_prints_the_table_also_while_it_stops() {
    unhung("sigusr1_prints_the_table_also_while_it_stops", || {
        let (upstream, address) = listener();
        let mut proxy = Proxy::start(&["--workers", "3"], &address);
        let table = proxy.table();
        assert_eq!((table.workers, table.total), (vec![Row::default(); 3], Row::default()));
        let open = proxy.connect(&upstream);
        let one_open = Row { connections: 1, open: 1, ..Row::default() };
        assert_eq!(proxy.table().total, one_open);
        proxy.signal(Signal::TERM);
        assert_eq!(proxy.table().total, one_open);
        drop(open);
        assert_eq!(proxy.wait().table.total, Row { open: 0, ..one_open });
    });
}
