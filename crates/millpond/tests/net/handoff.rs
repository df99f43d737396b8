//! A connection that goes on at another worker.

use crate::{
    common::{self, unhung},
    support::{connect, connected, echo, listener, ping, pool, pools, read_to_close, until},
};
use millpond::{
    Pool, WorkerId,
    net::{self, Balance, Server},
};
use monoio::{
    io::{AsyncReadRentExt, AsyncWriteRentExt},
    net::TcpStream,
};
use std::{
    io::Write,
    net::{Shutdown, SocketAddr},
    os::fd::AsRawFd,
    sync::mpsc,
    time::Duration,
};

fn worker(index: usize) -> WorkerId {
    millpond::Handle::current().workers()[index]
}

/// Hands the connection on to the last worker, and sends back from there.
async fn hand_on(mut stream: TcpStream, peer: SocketAddr) {
    // All of it is sent before, and only this is read here.
    let (read, head) = stream.read_exact(vec![0; 4]).await;
    read.unwrap();
    let last = worker(millpond::Handle::current().workers().len() - 1);
    drop(net::handoff(stream, last, move |mut stream: TcpStream| async move {
        let (written, _) = stream.write_all(head).await;
        written.unwrap();
        echo(stream, peer).await;
    }));
}

fn server(pool: &Pool) -> Server {
    net::serve(pool, listener(), Balance::RoundRobin, hand_on).unwrap()
}

#[test]
fn unread_bytes_are_whole_after_a_handoff() {
    unhung("unread_bytes_are_whole_after_a_handoff", || {
        for pool in pools(3) {
            let server = server(&pool);
            let mut client = connect(&server);
            let sent: Vec<u8> = (0..1_000_000_u32).flat_map(|number| number.to_le_bytes()).collect();
            let mut theirs = client.try_clone().unwrap();
            let all = sent.clone();
            let sends = std::thread::spawn(move || {
                theirs.write_all(&all).unwrap();
                theirs.shutdown(Shutdown::Write).unwrap();
            });
            assert!(read_to_close(&mut client) == sent, "something is missing");
            sends.join().unwrap();
            let receipt = server.shutdown_blocking();
            assert_eq!((receipt.served, receipt.accepted()), (1, 1), "it is one connection throughout");
        }
    });
}

#[test]
fn a_connection_counts_where_it_is() {
    unhung("a_connection_counts_where_it_is", || {
        let pool = pool(3);
        let server = server(&pool);
        let clients = connected(&server, 6);
        assert_eq!(server.connections_per_worker(), [0, 0, 6]);
        drop(clients);
        until(|| server.open_connections() == 0);
        assert_eq!(server.connections_per_worker(), [0, 0, 0]);
    });
}

#[test]
fn a_connection_that_was_handed_on_ends_with_its_server() {
    unhung("a_connection_that_was_handed_on_ends_with_its_server", || {
        for pool in pools(2) {
            let server = server(&pool);
            let mut clients = connected(&server, 4);
            let receipt = server.shutdown_timeout_blocking(Duration::ZERO);
            assert_eq!((receipt.cut_off, receipt.accepted()), (4, 4));
            for client in &mut clients {
                assert_eq!(read_to_close(client), b"");
            }
        }
    });
}

#[test]
fn a_panic_after_a_handoff_is_the_connections() {
    unhung("a_panic_after_a_handoff_is_the_connections", || {
        let pool = pool(2);
        let handler = |stream: TcpStream, _: SocketAddr| async move {
            drop(net::handoff(stream, worker(1), |_: TcpStream| async { panic!("there") }));
            panic!("here, but it is another's by now");
        };
        let server = net::serve(&pool, listener(), Balance::default(), handler).unwrap();
        assert_eq!(read_to_close(&mut connect(&server)), b"");
        let receipt = server.shutdown_blocking();
        assert_eq!((receipt.panicked, receipt.accepted()), (1, 1));
    });
}

#[test]
fn it_can_go_round_and_round() {
    unhung("it_can_go_round_and_round", || {
        async fn step(stream: TcpStream, peer: SocketAddr, left: usize) {
            if left == 0 {
                return echo(stream, peer).await;
            }
            let to = worker(left % 3);
            drop(net::handoff(stream, to, move |stream: TcpStream| boxed(stream, peer, left - 1)));
        }
        fn boxed(
            stream: TcpStream,
            peer: SocketAddr,
            left: usize,
        ) -> std::pin::Pin<Box<dyn Future<Output = ()>>> {
            Box::pin(step(stream, peer, left))
        }
        let pool = pool(3);
        let handler = |stream: TcpStream, peer: SocketAddr| step(stream, peer, 100);
        let server = net::serve(&pool, listener(), Balance::default(), handler).unwrap();
        let clients = connected(&server, 5);
        assert_eq!(server.connections_per_worker(), [0, 5, 0]);
        drop(clients);
        assert_eq!(server.shutdown_blocking().served, 5);
    });
}

#[test]
fn another_connection_of_a_handler_is_no_connection_of_the_server() {
    unhung("another_connection_of_a_handler_is_no_connection_of_the_server", || {
        let pool = pool(2);
        let upstream = net::serve(&pool, listener(), Balance::default(), echo).unwrap();
        let to = upstream.local_addr();
        let handler = move |stream: TcpStream, peer: SocketAddr| async move {
            let other = TcpStream::connect(to).await.unwrap();
            let moved = net::handoff(other, worker(1), |mut other: TcpStream| async move {
                other.write_all("word").await.0.unwrap();
                other.read_exact(vec![0; 4]).await.1
            });
            assert_eq!(moved.unwrap().await.unwrap().unwrap(), b"word");
            echo(stream, peer).await;
        };
        let server = net::serve(&pool, listener(), Balance::RoundRobin, handler).unwrap();
        let clients = connected(&server, 2);
        assert_eq!(server.connections_per_worker(), [1, 1]);
        drop(clients);
        assert_eq!(server.shutdown_blocking().served, 2);
    });
}

#[test]
fn a_worker_of_another_pool_gives_the_stream_back() {
    unhung("a_worker_of_another_pool_gives_the_stream_back", || {
        let (pool, other) = (pool(1), common::pool(1));
        let stranger = other.workers()[0];
        let handler = move |stream: TcpStream, peer: SocketAddr| async move {
            let error = net::handoff(stream, stranger, |_: TcpStream| async {}).unwrap_err();
            assert!(error.to_string().contains("is not a worker of the present pool"), "{error}");
            echo(error.stream, peer).await;
        };
        let server = net::serve(&pool, listener(), Balance::default(), handler).unwrap();
        ping(&mut connect(&server));
        assert_eq!(server.shutdown_blocking().served, 1);
    });
}

#[test]
#[should_panic(expected = "millpond::net::handoff: there is no millpond pool on this thread")]
fn outside_a_pool_it_panics() {
    let pool = pool(1);
    let worker = pool.workers()[0];
    let mut runtime = monoio::RuntimeBuilder::<monoio::FusionDriver>::new().build().unwrap();
    runtime.block_on(async {
        let server = monoio::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(server.local_addr().unwrap()).await.unwrap();
        drop(net::handoff(stream, worker, |_: TcpStream| async {}));
    });
}

#[test]
fn a_socket_that_has_got_the_same_number_is_another_connection() {
    unhung("a_socket_that_has_got_the_same_number_is_another_connection", || {
        let pool = pool(2);
        let upstream = net::serve(&pool, listener(), Balance::default(), echo).unwrap();
        let to = upstream.local_addr();
        let (tell, told) = mpsc::channel();
        let handler = move |stream: TcpStream, _: SocketAddr| {
            let tell = tell.clone();
            async move {
                let number = stream.as_raw_fd();
                drop(stream);
                // Until the driver has closed it, others get other numbers.
                let other = loop {
                    let other = TcpStream::connect(to).await.unwrap();
                    if other.as_raw_fd() == number {
                        break other;
                    }
                };
                let moved = net::handoff(other, worker(1), |other: TcpStream| async move {
                    std::future::pending::<()>().await;
                    drop(other);
                });
                tell.send(moved.is_ok()).unwrap();
            }
        };
        let server = net::serve(&pool, listener(), Balance::default(), handler).unwrap();
        let client = connect(&server);
        assert!(told.recv().unwrap());
        assert_eq!(server.shutdown_blocking().served, 1);
        drop(client);
    });
}

#[test]
fn a_handoff_while_the_pool_drains_gives_the_stream_back() {
    unhung("a_handoff_while_the_pool_drains_gives_the_stream_back", || {
        let pool = pool(2);
        let builder = Server::builder();
        let stopping = builder.stopping();
        let handler = move |stream: TcpStream, peer: SocketAddr| {
            let stopping = stopping.clone();
            async move {
                stopping.wait().await;
                let error = net::handoff(stream, worker(1), |_: TcpStream| async {}).unwrap_err();
                assert!(error.to_string().contains("is shutting down"), "{error}");
                echo(error.stream, peer).await;
            }
        };
        let server = builder.serve(&pool, listener(), handler).unwrap();
        let mut client = connect(&server);
        until(|| server.open_connections() == 1);
        let drains = std::thread::spawn(move || pool.shutdown_blocking());
        ping(&mut client);
        drop(client);
        drains.join().unwrap();
        assert_eq!(server.shutdown_blocking().served, 1);
    });
}
