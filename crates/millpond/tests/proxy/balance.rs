//! Which worker gets a connection.

use std::net::{TcpListener, TcpStream};

use crate::common::unhung;
use crate::program::Proxy;
use crate::relay::listener;
use crate::table::{Row, Table};

const WORKERS: &str = "4";

/// A proxy with connections that stay open.
struct Held {
    proxy: Proxy,
    upstream: TcpListener,
    open: Vec<(TcpStream, TcpStream)>,
}

impl Held {
    fn new(balance: &str) -> Self {
        let (upstream, address) = listener();
        let proxy = Proxy::start(&["--workers", WORKERS, "--balance", balance], &address);
        let mut held = Self { proxy, upstream, open: Vec::new() };
        (0..200).for_each(|_| held.connect());
        held
    }

    fn connect(&mut self) {
        self.open.push(self.proxy.connect(&self.upstream));
    }

    /// The table, in which all are open.
    fn table(&mut self) -> Table {
        let connections = self.open.len() as u64;
        let table = self.proxy.table();
        assert_eq!(table.total, Row { connections, open: connections, ..Row::default() });
        table
    }

    /// The table after all have ended in order.
    fn end(self) -> Table {
        let connections = self.open.len() as u64;
        drop(self.open);
        let table = self.proxy.stop().table;
        assert_eq!(table.total, Row { connections, ..Row::default() });
        table
    }
}

/// Whether no worker has more than 2 % above the mean.
fn is_even(table: &Table) -> bool {
    let (workers, all) = (table.workers.len() as u64, table.total.connections);
    table.workers.iter().all(|row| 100 * workers * row.connections <= 102 * all)
}

#[test]
fn the_least_loaded_worker_gets_the_next_connection() {
    unhung("the_least_loaded_worker_gets_the_next_connection", || {
        let mut held = Held::new("least");
        // A worker that has had no CPU for a while is passed over, and makes up for it with the next ones.
        while !is_even(&held.table()) && held.open.len() < 400 {
            held.connect();
        }
        let table = held.end();
        assert!(is_even(&table), "{table:?}");
    });
}

#[test]
fn each_worker_gets_some_in_turn_and_by_the_kernels_hash() {
    unhung("each_worker_gets_some_in_turn_and_by_the_kernels_hash", || {
        for balance in ["round-robin", "reuse-port"] {
            let table = Held::new(balance).end();
            assert!(table.workers.iter().all(|row| row.connections > 0), "{balance}: {table:?}");
        }
    });
}
