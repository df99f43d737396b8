//! Settings that make no server: each a typed error that names the setting and the way out, and gives the listener back.

use crate::{
    common,
    support::{echo, listener, pool},
};
use millpond::{
    Driver, Handle,
    net::{Balance, ServeError, Server, ServerBuilder},
};
use std::{net::TcpListener, os::unix::net::UnixListener, time::Duration};

fn refused(pool: &Handle, builder: ServerBuilder) -> ServeError<TcpListener> {
    let listener = listener();
    let addr = listener.local_addr().unwrap();
    let error = builder.serve(pool, listener, echo).expect_err("it makes no server");
    assert_eq!(error.listener.local_addr().unwrap(), addr, "the listener comes back");
    error
}

#[test]
fn a_server_without_room_is_refused() {
    let pool = pool(1);
    let error = refused(&pool, Server::builder().max_connections(0));
    assert_eq!(error.setting(), Some("max_connections"));
    assert!(
        error.to_string().starts_with("max_connections is 0") && error.to_string().contains("at least 1")
    );
    let error = refused(&pool, Server::builder().max_connections_per_worker(0));
    assert!(error.to_string().starts_with("max_connections_per_worker is 0"), "{error}");
}

#[test]
fn a_server_without_time_is_refused() {
    let error = refused(&pool(1), Server::builder().idle_shutdown(Duration::ZERO));
    assert_eq!(error.setting(), Some("idle_shutdown"));
    assert!(error.to_string().contains("give it some time"), "{error}");
}

#[test]
fn a_backlog_that_the_kernel_does_not_know_is_refused() {
    let pool = pool(1);
    for backlog in [0, u32::MAX] {
        let error = refused(&pool, Server::builder().backlog(backlog));
        assert_eq!(error.setting(), Some("backlog"));
        assert!(error.to_string().contains(&format!("is {backlog}; the kernel takes 1 to")), "{error}");
    }
}

#[test]
fn keepalive_times_that_the_kernel_refuses_are_named() {
    let second = Duration::from_secs(1);
    let error = refused(&pool(1), Server::builder().keepalive(Duration::from_secs(40_000), second, 3));
    assert_eq!(error.setting(), Some("keepalive"));
    assert!(std::error::Error::source(&error).is_some());
    let error = refused(&pool(1), Server::builder().keepalive(second, second, 128));
    assert!(error.to_string().starts_with("keepalive was refused by the system"), "{error}");
}

#[test]
fn a_unix_socket_cannot_share_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let listener = UnixListener::bind(folder.path().join("socket")).unwrap();
    let handler = |_: monoio::net::UnixStream, _| async {};
    let builder = Server::builder().balance(Balance::ReusePort);
    let error = builder.serve(&pool(1), listener, handler).expect_err("it makes no server");
    assert_eq!(error.setting(), Some("balance"));
    assert!(error.to_string().contains("use LeastConnections"), "{error}");
}

#[test]
fn a_pool_without_sockets_serves_none() {
    let pool = common::builder(1).driver(Driver::Park).build().unwrap();
    let error = refused(&pool, Server::builder());
    assert_eq!(error.setting(), Some("driver"));
    assert!(error.to_string().contains("Driver::Auto"), "{error}");
}

#[test]
fn a_pool_that_has_shut_down_serves_none() {
    let pool = pool(1);
    let handle = pool.handle();
    drop(pool);
    let error = refused(&handle, Server::builder());
    assert_eq!(error.setting(), None);
    assert!(error.to_string().contains("has shut down"), "{error}");
}

#[test]
fn a_pool_that_limits_tasks_shares_no_port() {
    let pool = common::builder(1).driver(Driver::Auto).max_tasks_per_worker(7).build().unwrap();
    let error = refused(&pool, Server::builder().balance(Balance::ReusePort));
    assert_eq!(error.setting(), Some("balance"));
    assert!(error.to_string().contains("max_tasks_per_worker is 7; use LeastConnections"), "{error}");
}
