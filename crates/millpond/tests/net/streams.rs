//! Sockets of other kinds, and streams of other drivers.

use crate::{
    common::{self, unhung},
    support::{connect, listener, pools, read_to_close},
};
use millpond::{
    Driver, DriverKind,
    net::{self, Balance, Server, Stream},
};
use monoio::{
    io::{AsyncReadRentExt, AsyncWriteRentExt},
    net::UnixStream,
};
use std::{
    future::Future,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::net::{SocketAddr as UnixSocketAddr, UnixListener, UnixStream as StdUnixStream},
};

#[test]
fn unix_sockets_are_served_as_well() {
    unhung("unix_sockets_are_served_as_well", || {
        for pool in pools(2) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("socket");
            let handler = |mut stream: UnixStream, _peer: UnixSocketAddr| async move {
                let (read, word) = stream.read_exact(vec![0; 4]).await;
                read.unwrap();
                stream.write_all(word).await.0.unwrap();
            };
            let listener = UnixListener::bind(&path).unwrap();
            // Its settings are TCP's, and mean nothing here.
            let server = Server::builder().nodelay(true).serve(&pool, listener, handler).unwrap();
            assert_eq!(server.local_addr().as_pathname(), Some(path.as_path()));
            let clients: Vec<_> = (0..10)
                .map(|_| {
                    let mut client = StdUnixStream::connect(&path).unwrap();
                    client.write_all(b"word").unwrap();
                    client
                })
                .collect();
            for mut client in clients {
                let mut answer = String::new();
                client.read_to_string(&mut answer).unwrap();
                assert_eq!(answer, "word");
            }
            assert_eq!(server.shutdown_blocking().served, 10);
        }
    });
}

#[test]
fn both_families_share_a_port() {
    unhung("both_families_share_a_port", || {
        for pool in pools(2) {
            // One that takes IPv4 as well, where the machine has IPv6.
            let listener = std::net::TcpListener::bind("[::]:0").expect("this machine has IPv6");
            let port = listener.local_addr().unwrap().port();
            let handler = |_: monoio::net::TcpStream, _: SocketAddr| async {};
            let builder = Server::builder().balance(Balance::ReusePort);
            let server = builder.serve(&pool, listener, handler).unwrap();
            for host in ["127.0.0.1", "::1"].repeat(8) {
                read_to_close(&mut TcpStream::connect((host, port)).unwrap());
            }
            assert_eq!(server.shutdown_blocking().served, 16);
        }
    });
}

/// A stream that asks nothing of a driver: std's own, which blocks.
struct Blocking(TcpStream);

impl Stream for Blocking {
    type Socket = TcpStream;

    fn works_on(_driver: DriverKind) -> bool {
        true
    }

    fn from_std(socket: TcpStream, _driver: DriverKind) -> io::Result<Blocking> {
        socket.set_nonblocking(false)?;
        Ok(Blocking(socket))
    }

    fn into_std(self) -> TcpStream {
        self.0
    }

    fn readable(&self) -> impl Future<Output = io::Result<()>> {
        std::future::ready(Err(io::ErrorKind::Unsupported.into()))
    }
}

#[test]
fn another_driver_brings_its_own_stream() {
    unhung("another_driver_brings_its_own_stream", || {
        let pool = common::builder(2).driver(Driver::Park).build().unwrap();
        let handler = |mut stream: Blocking, _: SocketAddr| async move {
            let mut word = [0; 4];
            stream.0.read_exact(&mut word).unwrap();
            stream.0.write_all(&word).unwrap();
        };
        let server = net::serve(&pool, listener(), Balance::default(), handler).unwrap();
        for _ in 0..10 {
            let mut client = connect(&server);
            client.write_all(b"word").unwrap();
            assert_eq!(read_to_close(&mut client), b"word");
        }
        assert_eq!(server.shutdown_blocking().served, 10);
    });
}

/// One of which the driver makes nothing.
struct Refused;

impl Stream for Refused {
    type Socket = TcpStream;

    fn works_on(_driver: DriverKind) -> bool {
        true
    }

    fn from_std(_socket: TcpStream, _driver: DriverKind) -> io::Result<Refused> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn into_std(self) -> TcpStream {
        unreachable!("there is none")
    }

    fn readable(&self) -> impl Future<Output = io::Result<()>> {
        std::future::ready(Ok(()))
    }
}

#[test]
fn a_connection_without_a_stream_is_refused() {
    unhung("a_connection_without_a_stream_is_refused", || {
        let pool = common::pool(1);
        let handler = |_: Refused, _: SocketAddr| async { unreachable!("there is no stream") };
        let server = net::serve(&pool, listener(), Balance::default(), handler).unwrap();
        assert_eq!(read_to_close(&mut connect(&server)), b"");
        let receipt = server.shutdown_blocking();
        assert_eq!((receipt.refused, receipt.accepted()), (1, 1));
    });
}
