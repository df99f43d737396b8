//! The end of a server, and its receipt.

use crate::{
    alone::alone,
    child::Holdings,
    common::unhung,
    support::{
        BALANCES, connect, connected, echo, echo_server, listener, ping, pool, pools, read_to_close, until,
    },
};
use millpond::net::{self, Balance, ServeReceipt, Server};
use monoio::net::TcpStream;
use std::{
    net::{SocketAddr, TcpStream as StdTcpStream},
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

/// Long past any test: a shutdown that ends before did not wait for it.
const FOR_EVER: Duration = Duration::from_secs(3600);

#[test]
fn the_receipt_of_a_shutdown_with_a_thousand_open_connections_adds_up() {
    alone(module_path!(), "the_receipt_of_a_shutdown_with_a_thousand_open_connections_adds_up", || {
        let before = Holdings::now();
        for balance in BALANCES {
            let pool = pool(2);
            let builder = Server::builder().balance(balance);
            let stopping = builder.stopping();
            // Some panic, some end by themselves, some at the word of the stop, and the rest is cut off.
            let handler = move |mut stream: TcpStream, peer: SocketAddr| {
                let stopping = stopping.clone();
                async move {
                    let (_, kind) = monoio::io::AsyncReadRentExt::read_exact(&mut stream, vec![0; 1]).await;
                    match kind[0] {
                        b'p' => panic!("as asked"),
                        b'e' => {}
                        b's' => stopping.wait().await,
                        _ => echo(stream, peer).await,
                    }
                }
            };
            let server = builder.serve(&pool, listener(), handler).unwrap();
            let clients: Vec<_> = (0..1000)
                .map(|index| {
                    let mut client = connect(&server);
                    std::io::Write::write_all(&mut client, &[b"pesk"[index % 4]]).unwrap();
                    if index % 4 == 3 {
                        ping(&mut client);
                    }
                    client
                })
                .collect();
            until(|| server.open_connections() == 500);
            let receipt = server.shutdown_timeout_blocking(Duration::from_millis(200));
            let ServeReceipt { served, panicked, cut_off, refused, .. } = receipt;
            assert_eq!((served, panicked, cut_off, refused), (500, 250, 250, 0), "{balance:?}");
            assert_eq!(receipt.accepted(), 1000);
            drop(clients);
            let _ = pool.shutdown_blocking();
        }
        before.assert_restored();
    });
}

#[test]
fn a_shutdown_waits_for_what_is_open() {
    unhung("a_shutdown_waits_for_what_is_open", || {
        for pool in pools(2) {
            let server = echo_server(&pool, Server::builder());
            let mut clients = connected(&server, 2);
            let stopping = server.stopping();
            let ended = std::thread::spawn(move || server.shutdown_timeout_blocking(FOR_EVER));
            stopping.wait_blocking();
            clients.iter_mut().for_each(ping);
            assert!(!ended.is_finished());
            drop(clients);
            assert_eq!(ended.join().unwrap().served, 2);
        }
    });
}

#[test]
fn a_shutdown_can_be_awaited_anywhere() {
    unhung("a_shutdown_can_be_awaited_anywhere", || {
        let pool = pool(2);
        let server = echo_server(&pool, Server::builder());
        drop(connected(&server, 3));
        assert_eq!(futures_lite::future::block_on(server.shutdown()).served, 3);
        let server = echo_server(&pool, Server::builder());
        let clients = connected(&server, 3);
        // In a job of the pool, on a worker that has some of the connections.
        let receipt = pool.spawn(move || server.shutdown_timeout(Duration::ZERO)).join().unwrap();
        assert_eq!(receipt.cut_off, 3);
        drop(clients);
    });
}

#[test]
fn a_blocking_shutdown_on_a_worker_says_so_and_does_not_hang() {
    unhung("a_blocking_shutdown_on_a_worker_says_so_and_does_not_hang", || {
        let pool = pool(1);
        let server = echo_server(&pool, Server::builder());
        let error = pool.spawn(move || async move { server.shutdown_blocking() }).join().unwrap_err();
        assert!(error.to_string().contains("use shutdown().await"), "{error}");
    });
}

#[test]
fn dropping_a_server_cuts_off_and_closes_the_port() {
    unhung("dropping_a_server_cuts_off_and_closes_the_port", || {
        for pool in pools(2) {
            for balance in BALANCES {
                let server = echo_server(&pool, Server::builder().balance(balance));
                let addr = server.local_addr();
                let mut clients = connected(&server, 4);
                drop(server);
                for client in &mut clients {
                    assert_eq!(read_to_close(client), b"");
                }
                until(|| StdTcpStream::connect(addr).is_err());
            }
        }
    });
}

#[test]
fn a_dropped_shutdown_cuts_off() {
    unhung("a_dropped_shutdown_cuts_off", || {
        let pool = pool(1);
        let server = echo_server(&pool, Server::builder());
        let mut client = connected(&server, 1).remove(0);
        assert!(crate::common::poll_once(server.shutdown()).is_pending());
        assert_eq!(read_to_close(&mut client), b"");
    });
}

#[test]
fn stop_accepting_leaves_the_open_alone() {
    unhung("stop_accepting_leaves_the_open_alone", || {
        for pool in pools(2) {
            for balance in BALANCES {
                let server = echo_server(&pool, Server::builder().balance(balance));
                let addr = server.local_addr();
                let mut clients = connected(&server, 4);
                assert!(!server.stopping().is_stopping());
                server.stop_accepting();
                assert!(server.stopping().is_stopping());
                until(|| StdTcpStream::connect(addr).is_err());
                clients.iter_mut().for_each(ping);
                drop(clients);
                assert!(server.shutdown_blocking().served >= 4);
            }
        }
    });
}

#[test]
fn connections_that_the_kernel_had_ready_are_served_after_the_stop() {
    unhung("connections_that_the_kernel_had_ready_are_served_after_the_stop", || {
        for pool in pools(1) {
            let server = echo_server(&pool, Server::builder().balance(Balance::ReusePort));
            // The worker accepts, and cannot: what comes stays in the kernel's hands.
            let release = crate::common::hold(&pool, 0);
            let mut client = connect(&server);
            server.stop_accepting();
            drop(release);
            ping(&mut client);
            drop(client);
            assert_eq!(server.shutdown_blocking().served, 1);
        }
    });
}

#[test]
fn an_idle_server_stops() {
    unhung("an_idle_server_stops", || {
        for pool in pools(2) {
            for balance in BALANCES {
                // Far longer than the client takes to come, on a busy machine too.
                let idle = Duration::from_millis(500);
                let builder = Server::builder().balance(balance).idle_shutdown(idle);
                let server = echo_server(&pool, builder);
                let client = connected(&server, 1);
                let stopping = server.stopping();
                assert!(!stopping.is_stopping(), "not while one is connected");
                drop(client);
                stopping.wait_blocking();
                assert_eq!(server.shutdown_blocking().served, 1);
            }
        }
    });
}

#[test]
fn a_handlers_panic_closes_its_connection_and_nothing_else() {
    unhung("a_handlers_panic_closes_its_connection_and_nothing_else", || {
        for pool in pools(1) {
            let count = Arc::new(AtomicUsize::new(0));
            let handler = move |stream: TcpStream, peer: SocketAddr| {
                let number = count.fetch_add(1, SeqCst);
                assert_ne!(number, 1, "in the call");
                async move {
                    assert_ne!(number, 2, "in the future");
                    echo(stream, peer).await;
                }
            };
            let server = net::serve(&pool, listener(), Balance::default(), handler).unwrap();
            let mut first = connected(&server, 1).remove(0);
            for _ in 0..2 {
                assert_eq!(read_to_close(&mut connect(&server)), b"");
            }
            ping(&mut first);
            drop((first, connected(&server, 1)));
            let receipt = server.shutdown_blocking();
            assert_eq!((receipt.served, receipt.panicked), (2, 2));
        }
    });
}

#[test]
fn a_server_ends_with_its_pool() {
    unhung("a_server_ends_with_its_pool", || {
        for balance in BALANCES {
            for drains in [false, true] {
                let pool = pool(2);
                let builder = Server::builder().balance(balance);
                let stopping = builder.stopping();
                let handler = move |_stream: TcpStream, _: SocketAddr| {
                    let stopping = stopping.clone();
                    async move { stopping.wait().await }
                };
                let server = builder.serve(&pool, listener(), handler).unwrap();
                let clients: Vec<_> = (0..4).map(|_| connect(&server)).collect();
                until(|| server.open_connections() == 4);
                if drains {
                    // The drain waits for the connections, which end by the server's word.
                    let _ = pool.shutdown_blocking();
                } else {
                    drop(pool);
                }
                server.stopping().wait_blocking();
                let receipt = server.shutdown_blocking();
                assert_eq!(receipt.accepted(), 4, "{balance:?} {receipt:?}");
                assert!(!drains || receipt.served == 4, "{balance:?} {receipt:?}");
                drop(clients);
            }
        }
    });
}

#[test]
fn servers_that_come_and_go_leave_nothing() {
    alone(module_path!(), "servers_that_come_and_go_leave_nothing", || {
        let pool = pool(2);
        // The first one brings what stays: allocations of the runtime, a thread's name.
        let round = |balance| {
            let server = echo_server(&pool, Server::builder().balance(balance));
            let clients = connected(&server, 3);
            let receipt = server.shutdown_timeout_blocking(Duration::ZERO);
            assert_eq!(receipt.cut_off, 3);
            drop(clients);
        };
        let rounds = |count| {
            (0..count).for_each(|_| BALANCES.into_iter().for_each(round));
            // A turn of each worker.
            drop(pool.broadcast(|_| async { monoio::time::sleep(Duration::from_millis(1)).await }).join());
        };
        let before = Holdings::after(|| rounds(1));
        rounds(30);
        before.assert_restored();
    });
}

#[test]
fn an_offer_that_nobody_has_taken_at_the_end_is_refused() {
    unhung("an_offer_that_nobody_has_taken_at_the_end_is_refused", || {
        let pool = pool(1);
        let server = echo_server(&pool, Server::builder());
        let release = crate::common::hold(&pool, 0);
        let client = connect(&server);
        until(|| server.open_connections() == 1);
        let ended = std::thread::spawn(move || server.shutdown_timeout_blocking(Duration::ZERO));
        // Although the worker has not moved.
        let receipt = ended.join().unwrap();
        assert_eq!((receipt.refused, receipt.accepted()), (1, 1));
        drop((release, client));
    });
}

#[test]
fn connections_from_many_threads_at_the_stop_add_up() {
    unhung("connections_from_many_threads_at_the_stop_add_up", || {
        for balance in BALANCES {
            let pool = pool(2);
            let server = echo_server(&pool, Server::builder().balance(balance));
            let addr = server.local_addr();
            let start = Arc::new(Barrier::new(5));
            let clients: Vec<_> = (0..4)
                .map(|_| {
                    let start = Arc::clone(&start);
                    std::thread::spawn(move || {
                        start.wait();
                        // Until it is refused.
                        while let Ok(client) = StdTcpStream::connect(addr) {
                            drop(client);
                        }
                    })
                })
                .collect();
            start.wait();
            until(|| server.receipt().accepted() > 50);
            let open = server.shutdown_blocking();
            clients.into_iter().for_each(|client| client.join().unwrap());
            assert_eq!((open.served, open.cut_off, open.panicked, open.refused), (open.accepted(), 0, 0, 0));
        }
    });
}

#[test]
fn a_drain_of_the_pool_serves_what_a_busy_worker_was_offered() {
    unhung("a_drain_of_the_pool_serves_what_a_busy_worker_was_offered", || {
        let pool = pool(2);
        let server = echo_server(&pool, Server::builder());
        let release = crate::common::hold(&pool, 0);
        let mut client = connect(&server);
        until(|| server.open_connections() == 1);
        let stopping = server.stopping();
        let drains = std::thread::spawn(move || pool.shutdown_blocking());
        stopping.wait_blocking();
        // Past the time after which it is offered to the other worker, which takes no jobs any more.
        std::thread::sleep(Duration::from_millis(150));
        drop(release);
        ping(&mut client);
        drop(client);
        assert_eq!(drains.join().unwrap().panicked, 0);
        assert_eq!(server.shutdown_blocking().served, 1);
    });
}

/// Panics when it is cloned for the second time.
struct Fragile(Arc<AtomicUsize>);

impl Clone for Fragile {
    fn clone(&self) -> Fragile {
        assert_ne!(self.0.fetch_add(1, SeqCst), 1, "as arranged");
        Fragile(Arc::clone(&self.0))
    }
}

#[test]
fn a_handler_whose_clone_panics_costs_that_connection_only() {
    unhung("a_handler_whose_clone_panics_costs_that_connection_only", || {
        let pool = pool(2);
        let fragile = Fragile(Arc::default());
        let handler = move |stream: TcpStream, peer: SocketAddr| {
            let _fragile = &fragile;
            echo(stream, peer)
        };
        let server = net::serve(&pool, listener(), Balance::default(), handler).unwrap();
        let first = connected(&server, 1);
        assert_eq!(read_to_close(&mut connect(&server)), b"");
        let third = connected(&server, 1);
        let receipt = server.shutdown_timeout_blocking(Duration::ZERO);
        assert_eq!((receipt.cut_off, receipt.refused, receipt.accepted()), (2, 1, 3));
        drop((first, third));
    });
}
