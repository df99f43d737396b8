//! Which worker gets a connection.

use std::net::TcpStream;

use crate::common::unhung;
use crate::program::Proxy;
use crate::relay::listener;
use crate::table::{Row, Table};

const CONNECTIONS: u64 = 200;

/// Opens connections, and gives the tables from when all are open and after all have ended in order.
fn tables(balance: &str) -> (Table, Table) {
    let (upstream, address) = listener();
    let mut proxy = Proxy::start(&["--workers", "4", "--balance", balance], &address);
    let open: Vec<(TcpStream, TcpStream)> = (0..CONNECTIONS).map(|_| proxy.connect(&upstream)).collect();
    let during = proxy.table();
    drop(open);
    (during, proxy.stop().table)
}

#[track_caller]
fn assert_all_are_counted(during: &Table, after: &Table) {
    let all_open = Row { connections: CONNECTIONS, open: CONNECTIONS, ..Row::default() };
    assert_eq!(during.total, all_open);
    assert_eq!(after.total, Row { open: 0, ..all_open });
    assert_eq!(after.workers.len(), 4);
}

#[test]
fn the_least_loaded_worker_gets_the_next_connection() {
    unhung("the_least_loaded_worker_gets_the_next_connection", || {
        let (during, after) = tables("least");
        assert_all_are_counted(&during, &after);
        // 2 % above the mean: a worker that has had no CPU for a while may be passed over at the very end.
        let most = after.workers.iter().map(|row| row.connections).max();
        assert!(most <= Some(CONNECTIONS / 4 * 102 / 100), "{after:?}");
    });
}

#[test]
fn each_worker_gets_some_in_turn_and_by_the_kernels_hash() {
    unhung("each_worker_gets_some_in_turn_and_by_the_kernels_hash", || {
        for balance in ["round-robin", "reuse-port"] {
            let (during, after) = tables(balance);
            assert_all_are_counted(&during, &after);
            assert!(after.workers.iter().all(|row| row.connections > 0), "{balance}: {after:?}");
        }
    });
}
