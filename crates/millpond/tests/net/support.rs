//! Servers and clients for the tests.

use crate::common;
use millpond::{
    Pool,
    net::{Balance, Server, ServerBuilder},
};
use monoio::{
    io::{AsyncReadRent, AsyncWriteRentExt},
    net::TcpStream,
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream as StdTcpStream},
    thread,
};

/// All ways to share out.
pub(crate) const BALANCES: [Balance; 3] =
    [Balance::LeastConnections, Balance::RoundRobin, Balance::ReusePort];

/// A pool that has sockets.
pub(crate) fn pool(workers: usize) -> Pool {
    common::pools_on(common::io_drivers(), workers).next().expect("there is a driver with sockets")
}

/// A pool on each driver that has sockets.
pub(crate) fn pools(workers: usize) -> impl Iterator<Item = Pool> {
    common::pools_on(common::io_drivers(), workers)
}

pub(crate) fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").expect("a port is free")
}

/// Sends back what it reads, until the peer has ended its side.
pub(crate) async fn echo(mut stream: TcpStream, _peer: SocketAddr) {
    let mut buffer = vec![0; 4096];
    loop {
        let (read, mut bytes) = stream.read(buffer).await;
        let Ok(length @ 1..) = read else { return };
        bytes.truncate(length);
        let (written, mut bytes) = stream.write_all(bytes).await;
        if written.is_err() {
            return;
        }
        bytes.resize(4096, 0);
        buffer = bytes;
    }
}

/// A server that sends back.
pub(crate) fn echo_server(pool: &Pool, builder: ServerBuilder) -> Server {
    builder.serve(pool, listener(), echo).expect("the server starts")
}

pub(crate) fn connect(server: &Server) -> StdTcpStream {
    StdTcpStream::connect(server.local_addr()).expect("the server listens")
}

/// Sends a line and reads it back, which shows that the handler runs.
pub(crate) fn ping(client: &mut StdTcpStream) {
    client.write_all(b"ping").expect("the connection is open");
    let mut answer = [0; 4];
    client.read_exact(&mut answer).expect("the connection is open");
    assert_eq!(&answer, b"ping");
}

/// As many clients, each of which has had an answer.
pub(crate) fn connected(server: &Server, clients: usize) -> Vec<StdTcpStream> {
    let client = |_| {
        let mut client = connect(server);
        ping(&mut client);
        client
    };
    (0..clients).map(client).collect()
}

/// Reads until the server has closed the connection, in whatever way.
pub(crate) fn read_to_close(client: &mut StdTcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset ends it as well.
    let _ = client.read_to_end(&mut bytes);
    bytes
}

/// Waits until it holds: brought about by other threads, on which the caller has no other hold.
pub(crate) fn until(holds: impl Fn() -> bool) {
    while !holds() {
        thread::yield_now();
    }
}
