//! The end of a dashboard, and of its pool.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use millpond_dashboard::{Dashboard, serve as serve_at};

use crate::common::unhung;
use crate::support::{Events, Served, connect, serve, serve_with};

/// A reader that reads, one that does not, and a client that has not said what it wants.
fn company(served: &Served) -> (Events, Events, TcpStream) {
    let reading = served.events();
    let idle = Events::from_stream(connect(served.addr()), "/events");
    let mut undecided = connect(served.addr());
    undecided.write_all(b"GET / HT").expect("the dashboard listens");
    served.wait_for_readers(2);
    (reading, idle, undecided)
}

/// Events that no socket's buffers hold for long, and a server that waits for whoever does not take them.
fn with_long_events() -> Served {
    let patience = Duration::from_secs(60 * 60);
    serve_with(Dashboard::builder().name("long ".repeat(100_000)).write_timeout(patience))
}

/// Returns once nobody listens there.
fn wait_until_closed(addr: SocketAddr) {
    while TcpStream::connect(addr).is_ok() {
        thread::yield_now();
    }
}

fn wait_until_at_rest(pool: &millpond::Pool) {
    while pool.metrics().jobs.tasks > 0 {
        thread::yield_now();
    }
}

#[test]
fn dropping_a_dashboard_stops_it() {
    unhung("dropping_a_dashboard_stops_it", || {
        let served = with_long_events();
        let (addr, (mut reading, idle, undecided)) = (served.addr(), company(&served));
        let Served { dashboard, pool } = served;
        drop(dashboard);
        reading.drain();
        wait_until_closed(addr);
        wait_until_at_rest(&pool);
        assert_eq!(pool.spawn(|| async { 42 }).join().expect("the pool goes on"), 42);
        drop((idle, undecided));
    });
}

#[test]
fn a_shutdown_leaves_the_port_and_the_pool_free() {
    unhung("a_shutdown_leaves_the_port_and_the_pool_free", || {
        let served = with_long_events();
        let (addr, (mut reading, idle, undecided)) = (served.addr(), company(&served));
        let Served { dashboard, pool } = served;
        dashboard.shutdown_blocking();
        assert!(TcpStream::connect(addr).is_err(), "it still listens");
        wait_until_at_rest(&pool);
        reading.drain();
        drop((reading, idle, undecided));
        let again = serve_at(&pool, addr).expect("the port is free");
        pool.block_on(again.shutdown());
    });
}

#[test]
fn a_drain_of_the_pool_waits_for_no_reader() {
    unhung("a_drain_of_the_pool_waits_for_no_reader", || {
        let served = with_long_events();
        let (addr, (mut reading, idle, undecided)) = (served.addr(), company(&served));
        let Served { dashboard, pool } = served;
        let accepted = pool.metrics().jobs.accepted;
        let receipt = pool.shutdown_blocking();
        // Each handler came to its own end.
        assert_eq!((receipt.completed, receipt.cut_off), (accepted, 0));
        reading.drain();
        wait_until_closed(addr);
        drop((dashboard, idle, undecided));
    });
}

#[test]
fn dropping_the_pool_ends_its_dashboard() {
    unhung("dropping_the_pool_ends_its_dashboard", || {
        let served = serve();
        let (addr, (mut reading, idle, undecided)) = (served.addr(), company(&served));
        let Served { dashboard, pool } = served;
        drop(pool);
        reading.drain();
        wait_until_closed(addr);
        assert_eq!(dashboard.readers(), 0);
        drop((idle, undecided));
    });
}
