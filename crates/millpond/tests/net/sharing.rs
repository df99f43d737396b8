//! Which worker gets which connection, and when none is accepted.

use crate::{
    common::{hold, unhung},
    support::{
        BALANCES, connect, connected, echo, echo_server, listener, ping, pool, pools, read_to_close, until,
    },
};
use millpond::{
    Driver,
    net::{self, Balance, Server},
};
use monoio::{
    io::{AsyncReadRentExt, AsyncWriteRentExt},
    net::TcpStream,
};
use std::{
    collections::BTreeSet,
    io::Write,
    net::{SocketAddr, TcpStream as StdTcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
};

#[test]
fn connections_are_even_under_least_connections() {
    unhung("connections_are_even_under_least_connections", || {
        for pool in pools(4) {
            let server = echo_server(&pool, Server::builder());
            let clients = connected(&server, 64);
            assert_eq!(server.connections_per_worker(), [16; 4]);
            drop(clients);
            assert_eq!(server.shutdown_blocking().served, 64);
        }
    });
}

#[test]
fn the_gaps_of_those_that_left_are_filled_first() {
    unhung("the_gaps_of_those_that_left_are_filled_first", || {
        let pool = pool(3);
        let at = |_| async { millpond::worker_id().index() };
        drop(pool.broadcast(at).join());
        let (tell, told) = mpsc::channel();
        let handler = move |stream: TcpStream, peer: SocketAddr| {
            tell.send((peer, millpond::worker_id().index())).unwrap();
            crate::support::echo(stream, peer)
        };
        let server = net::serve(&pool, listener(), Balance::LeastConnections, handler).unwrap();
        let clients = connected(&server, 12);
        let workers: Vec<_> = (0..12).map(|_| told.recv().unwrap()).collect();
        // Every client of worker 1 leaves.
        let on_worker_1 = |client: &StdTcpStream| {
            let addr = client.local_addr().unwrap();
            workers.iter().any(|&(peer, worker)| peer == addr && worker == 1)
        };
        let (left, stay): (Vec<_>, Vec<_>) = clients.into_iter().partition(on_worker_1);
        drop(left);
        until(|| server.connections_per_worker() == [4, 0, 4]);
        let more = connected(&server, 4);
        assert_eq!(server.connections_per_worker(), [4, 4, 4]);
        drop((stay, more));
        assert_eq!(server.shutdown_blocking().served, 16);
    });
}

#[test]
fn round_robin_takes_turns_whoever_has_left() {
    unhung("round_robin_takes_turns_whoever_has_left", || {
        let pool = pool(2);
        let server = echo_server(&pool, Server::builder().balance(Balance::RoundRobin));
        let mut clients = connected(&server, 4);
        drop(clients.remove(0));
        until(|| server.open_connections() == 3);
        clients.extend(connected(&server, 2));
        assert_eq!(server.connections_per_worker(), [2, 3]);
    });
}

#[test]
fn every_balance_serves_all() {
    unhung("every_balance_serves_all", || {
        for pool in pools(3) {
            for balance in BALANCES {
                let server = echo_server(&pool, Server::builder().balance(balance));
                let clients = connected(&server, 30);
                assert_eq!(server.open_connections(), 30, "{balance:?}");
                drop(clients);
                let receipt = server.shutdown_blocking();
                assert_eq!((receipt.served, receipt.accepted()), (30, 30), "{balance:?}");
            }
        }
    });
}

/// "A worker whose handler computes for a second (others go on accepting)", with a gate in place of the second.
#[test]
fn no_connection_waits_behind_a_handler_that_computes() {
    unhung("no_connection_waits_behind_a_handler_that_computes", || {
        for pool in pools(2) {
            let server = echo_server(&pool, Server::builder());
            let release = hold(&pool, 0);
            // By their counts half of them belong on the worker that is held.
            let clients = connected(&server, 10);
            assert_eq!(server.connections_per_worker(), [0, 10]);
            drop(release);
            // And from when it moves on, it gets what it has missed.
            pool.spawn_on(pool.workers()[0], || async {}).unwrap().join().unwrap();
            let more = connected(&server, 10);
            assert_eq!(server.connections_per_worker(), [10, 10]);
            drop((clients, more));
            assert_eq!(server.shutdown_blocking().served, 20);
        }
    });
}

#[test]
fn a_full_server_accepts_no_more_until_one_has_left() {
    unhung("a_full_server_accepts_no_more_until_one_has_left", || {
        for pool in pools(2) {
            for balance in BALANCES {
                let server = echo_server(&pool, Server::builder().balance(balance).max_connections(3));
                let mut clients = connected(&server, 3);
                // Connected to the kernel only: it waits there.
                let mut fourth = connect(&server);
                let most = Arc::new(AtomicUsize::new(0));
                for _ in 0..3 {
                    most.fetch_max(server.open_connections(), SeqCst);
                    clients.iter_mut().for_each(ping);
                }
                drop(clients.pop());
                ping(&mut fourth);
                most.fetch_max(server.open_connections(), SeqCst);
                assert_eq!(most.load(SeqCst), 3, "{balance:?}");
                drop((clients, fourth));
                assert_eq!(server.shutdown_blocking().served, 4, "{balance:?}");
            }
        }
    });
}

#[test]
fn a_worker_at_its_cap_is_passed_over() {
    unhung("a_worker_at_its_cap_is_passed_over", || {
        let pool = pool(2);
        let builder = Server::builder().balance(Balance::RoundRobin).max_connections_per_worker(2);
        let server = echo_server(&pool, builder);
        let mut clients = connected(&server, 4);
        assert_eq!(server.connections_per_worker(), [2, 2]);
        let mut fifth = connect(&server);
        clients.iter_mut().for_each(ping);
        assert_eq!(server.open_connections(), 4);
        // The turn is the first worker's, and the room the second's.
        drop(clients.remove(1));
        ping(&mut fifth);
        assert_eq!(server.connections_per_worker(), [2, 2]);
    });
}

#[test]
fn accepted_sockets_have_what_the_builder_says() {
    unhung("accepted_sockets_have_what_the_builder_says", || {
        use rustix::net::sockopt;
        use std::{os::fd::AsFd, time::Duration};
        for balance in [Balance::LeastConnections, Balance::ReusePort] {
            let pool = pool(2);
            let (tell, told) = mpsc::channel();
            let handler = move |stream: TcpStream, _: SocketAddr| {
                let tell = tell.clone();
                async move {
                    let socket = net::Stream::into_std(stream);
                    let fd = socket.as_fd();
                    let probes = sockopt::tcp_keepcnt(fd).unwrap();
                    let idle = sockopt::tcp_keepidle(fd).unwrap();
                    let interval = sockopt::tcp_keepintvl(fd).unwrap();
                    let set = sockopt::socket_keepalive(fd).unwrap();
                    tell.send((socket.nodelay().unwrap(), set, idle, interval, probes)).unwrap();
                }
            };
            let seconds = Duration::from_secs;
            let builder = Server::builder()
                .balance(balance)
                .nodelay(true)
                .keepalive(seconds(90), seconds(7), 3)
                .backlog(16);
            let server = builder.serve(&pool, listener(), handler).unwrap();
            let mut clients: Vec<_> = (0..8).map(|_| connect(&server)).collect();
            for client in &mut clients {
                read_to_close(client);
                assert_eq!(told.recv().unwrap(), (true, true, seconds(90), seconds(7), 3), "{balance:?}");
            }
        }
    });
}

#[test]
fn a_place_that_a_handoff_leaves_is_taken() {
    unhung("a_place_that_a_handoff_leaves_is_taken", || {
        let pool = pool(2);
        // Answers, and goes on at the second worker when it is told to.
        let handler = |mut stream: TcpStream, peer: SocketAddr| async move {
            let (read, word) = stream.read_exact(vec![0; 4]).await;
            read.unwrap();
            stream.write_all(word).await.0.unwrap();
            if stream.read_exact(vec![0; 1]).await.0.is_ok() {
                let second = millpond::Handle::current().workers()[1];
                drop(net::handoff(stream, second, move |stream: TcpStream| echo(stream, peer)));
            }
        };
        let builder = Server::builder().max_connections_per_worker(1);
        let server = builder.serve(&pool, listener(), handler).unwrap();
        let mut clients = connected(&server, 2);
        let mut third = connect(&server);
        clients[0].write_all(b"!").unwrap();
        ping(&mut third);
        assert_eq!(server.connections_per_worker(), [1, 2]);
    });
}

#[test]
fn no_connection_waits_for_a_worker_that_is_at_its_limit_of_tasks() {
    unhung("no_connection_waits_for_a_worker_that_is_at_its_limit_of_tasks", || {
        let pool = crate::common::builder(2).max_tasks_per_worker(1).driver(Driver::Auto).build().unwrap();
        let (tell, told) = mpsc::channel();
        let busy = move || async move {
            tell.send(()).unwrap();
            loop {
                crate::common::yield_now().await;
            }
        };
        drop(pool.spawn_on(pool.workers()[0], busy).unwrap());
        told.recv().unwrap();
        let server = echo_server(&pool, Server::builder());
        ping(&mut connect(&server));
    });
}

#[test]
fn listeners_that_share_a_port_have_what_the_first_has() {
    unhung("listeners_that_share_a_port_have_what_the_first_has", || {
        let pool = pool(3);
        let first = listener();
        rustix::net::sockopt::set_tcp_nodelay(&first, true).unwrap();
        let (tell, told) = mpsc::channel();
        let handler = move |stream: TcpStream, _: SocketAddr| {
            tell.send((millpond::worker_id().index(), stream.nodelay().unwrap())).unwrap();
            async {}
        };
        let server = net::serve(&pool, first, Balance::ReusePort, handler).unwrap();
        let mut workers = BTreeSet::new();
        // The kernel chooses by the clients' ports, which differ.
        while workers.len() < 3 {
            read_to_close(&mut connect(&server));
            let (worker, nodelay) = told.recv().unwrap();
            assert!(nodelay, "of worker {worker}");
            workers.insert(worker);
        }
    });
}
