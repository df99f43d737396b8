//! Peers that go away at any moment, and a machine that runs out of descriptors.

use crate::{
    alone::alone,
    common::unhung,
    support::{
        BALANCES, connect, connected, echo, echo_server, listener, ping, pool, pools, read_to_close, until,
    },
};
use millpond::net::{self, Balance, Server};
use monoio::{
    io::{AsyncReadRentExt, AsyncWriteRentExt},
    net::TcpStream,
};
use rustix::{
    net::sockopt,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter_all_threads};
use std::{
    fs::File,
    io::Write,
    net::{Shutdown, SocketAddr, TcpStream as StdTcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

/// Closes with a RST in place of a FIN: what was sent and not read is lost.
fn reset(client: StdTcpStream) {
    sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    drop(client);
}

#[test]
fn ten_thousand_connections_dropped_in_mid_request_leave_nothing() {
    unhung("ten_thousand_connections_dropped_in_mid_request_leave_nothing", || {
        let pool = pool(2);
        // A request of 8 bytes, of which half comes.
        let handler = |mut stream: TcpStream, _: SocketAddr| async move {
            let (read, _) = stream.read_exact(vec![0; 8]).await;
            read.expect_err("the rest never comes");
        };
        let server = net::serve(&pool, listener(), Balance::default(), handler).unwrap();
        for round in 0..10_000 {
            let mut client = connect(&server);
            client.write_all(b"half").unwrap();
            if round % 2 == 0 {
                reset(client);
            }
        }
        until(|| server.open_connections() == 0);
        assert_eq!(server.connections_per_worker(), [0, 0]);
        let receipt = server.shutdown_blocking();
        assert_eq!((receipt.served, receipt.accepted()), (10_000, 10_000));
    });
}

#[test]
fn a_reset_at_any_moment_ends_its_connection_only() {
    unhung("a_reset_at_any_moment_ends_its_connection_only", || {
        for pool in pools(2) {
            for balance in BALANCES {
                let server = echo_server(&pool, Server::builder().balance(balance));
                let mut stays = connected(&server, 1);
                for moment in 0..200 {
                    let mut client = connect(&server);
                    // Before anything, after a request, in an answer, after one.
                    match moment % 4 {
                        0 => {}
                        1 => client.write_all(b"ping").unwrap(),
                        2 => client.write_all(&[7; 100_000]).unwrap(),
                        _ => ping(&mut client),
                    }
                    reset(client);
                }
                stays.iter_mut().for_each(ping);
                until(|| server.open_connections() == 1);
                drop(stays);
                // Some may have been reset while they were the kernel's: those it does not show to anybody.
                let receipt = server.shutdown_blocking();
                assert_eq!(receipt.served, receipt.accepted(), "{balance:?}");
            }
        }
    });
}

#[test]
fn a_peer_that_has_ended_its_side_still_gets_its_answer() {
    unhung("a_peer_that_has_ended_its_side_still_gets_its_answer", || {
        for pool in pools(2) {
            let handler = |mut stream: TcpStream, _: SocketAddr| async move {
                let (read, bytes) = stream.read_exact(vec![0; 4]).await;
                read.unwrap();
                // By now the peer has ended its side, which the next read sees.
                assert_eq!(monoio::io::AsyncReadRent::read(&mut stream, vec![0; 1]).await.0.unwrap(), 0);
                stream.write_all(bytes).await.0.unwrap();
            };
            let server = net::serve(&pool, listener(), Balance::default(), handler).unwrap();
            let mut client = connect(&server);
            client.write_all(b"ping").unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            assert_eq!(read_to_close(&mut client), b"ping");
            assert_eq!(server.shutdown_blocking().served, 1);
        }
    });
}

/// Takes all descriptors that are left, but `spare`.
fn exhaust(spare: usize) -> Vec<File> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(200), maximum: limit.maximum }).unwrap();
    let mut files = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        files.push(file);
    }
    files.truncate(files.len() - spare);
    files
}

#[test]
fn a_server_without_descriptors_says_so_and_goes_on_when_there_are_some() {
    alone(module_path!(), "a_server_without_descriptors_says_so_and_goes_on_when_there_are_some", || {
        for balance in BALANCES {
            let pool = pool(1);
            let (tell, told) = mpsc::channel();
            let builder = Server::builder().balance(balance);
            let builder = builder.on_accept_error(move |error| tell.send(error.raw_os_error()).unwrap());
            let server = echo_server(&pool, builder);
            let mut before = connected(&server, 1);
            // One for the client, and none for what the server would accept.
            let taken = exhaust(1);
            let mut client = connect(&server);
            let too_many = rustix::io::Errno::MFILE.raw_os_error();
            assert_eq!(told.recv().unwrap(), Some(too_many));
            assert_eq!(told.recv().unwrap(), Some(too_many), "it tries again");
            before.iter_mut().for_each(ping);
            drop(taken);
            ping(&mut client);
            drop((before, client));
            assert_eq!(server.shutdown_blocking().served, 2, "{balance:?}");
        }
    });
}

#[test]
fn without_a_hook_the_want_of_descriptors_is_said_once() {
    let output = {
        let name = format!("faults::{}", "without_a_hook_the_want_of_descriptors_is_said_once");
        crate::child::run(&name, || {
            let pool = pool(2);
            for balance in [Balance::LeastConnections, Balance::ReusePort] {
                let server = echo_server(&pool, Server::builder().balance(balance));
                for _ in 0..4 {
                    let taken = exhaust(1);
                    let mut client = connect(&server);
                    // Time for some tries, none of which can be seen from here.
                    std::thread::sleep(Duration::from_millis(50));
                    drop(taken);
                    ping(&mut client);
                }
            }
        })
    };
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        stderr.matches("millpond: no connection can be accepted").count(),
        2,
        "by each server: {stderr}"
    );
    assert!(stderr.contains("ulimit -n"), "{stderr}");
}

#[test]
fn many_clients_at_once_are_all_served() {
    unhung("many_clients_at_once_are_all_served", || {
        for balance in BALANCES {
            let pool = pool(2);
            let server = echo_server(&pool, Server::builder().balance(balance).max_connections(50));
            let addr = server.local_addr();
            let served = Arc::new(AtomicUsize::new(0));
            let clients: Vec<_> = (0..8)
                .map(|_| {
                    let served = Arc::clone(&served);
                    std::thread::spawn(move || {
                        for _ in 0..200 {
                            let mut client = StdTcpStream::connect(addr).unwrap();
                            ping(&mut client);
                            served.fetch_add(1, SeqCst);
                        }
                    })
                })
                .collect();
            clients.into_iter().for_each(|client| client.join().unwrap());
            assert_eq!(served.load(SeqCst), 1600);
            assert_eq!(server.shutdown_blocking().served, 1600, "{balance:?}");
        }
    });
}

#[test]
fn a_handler_on_each_worker_answers_its_own_client() {
    unhung("a_handler_on_each_worker_answers_its_own_client", || {
        let pool = pool(2);
        let server = net::serve(&pool, listener(), Balance::default(), echo).unwrap();
        let clients: Vec<_> = (0..4_u8)
            .map(|number| {
                let mut client = connect(&server);
                std::thread::spawn(move || {
                    client.write_all(&vec![number; 300_000]).unwrap();
                    client.shutdown(Shutdown::Write).unwrap();
                })
            })
            .collect();
        // They do not read: the server's writes wait, and then fail, which is theirs alone.
        clients.into_iter().for_each(|client| client.join().unwrap());
        ping(&mut connect(&server));
    });
}

#[test]
fn an_accept_that_is_refused_again_and_again_is_told_and_is_no_loop() {
    alone(module_path!(), "an_accept_that_is_refused_again_and_again_is_told_and_is_no_loop", || {
        // The filter holds for the rest of this process: so all servers are there before it.
        let pool = pool(1);
        let serve = |balance| {
            let (tell, told) = mpsc::channel();
            let builder = Server::builder().balance(balance);
            let builder = builder.on_accept_error(move |error| {
                let _ = tell.send(error.raw_os_error());
            });
            let server = echo_server(&pool, builder);
            let client = connected(&server, 1);
            (server, told, client)
        };
        let servers: Vec<_> = BALANCES.into_iter().map(serve).collect();
        // As a container's filter may: the connection stays where it is.
        refuse_accepts();
        for (server, told, client) in servers {
            let waits = connect(&server);
            assert_eq!(told.recv().unwrap(), Some(rustix::io::Errno::PERM.raw_os_error()));
            // And it ends all the same.
            assert_eq!(server.shutdown_timeout_blocking(Duration::ZERO).cut_off, 1);
            drop((client, waits));
        }
    });
}

/// From here on the kernel answers each `accept` of this process with EPERM.
fn refuse_accepts() {
    let calls = [(libc::SYS_accept4, Vec::new())].into_iter().collect();
    let refused = SeccompAction::Errno(libc::EPERM as u32);
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, refused, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    apply_filter_all_threads(&program).unwrap();
}
