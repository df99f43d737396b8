//! monoio's streams: the handler of millpond's servers too, and the server that monoio's users write, with a listener on
//! each thread.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc;

use monoio::buf::IoBufMut;
use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::{TcpListener, TcpStream};
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket, sockopt};

use super::super::monoio::runtime;
use crate::affinity::spawn_bound;
use crate::workloads::serve::{HEAD_MOST_BYTES, Open, Server, answer, enter};

/// One runtime a thread, one listener a runtime, all at one port: the kernel shares out the connections by a hash of their
/// addresses. The threads serve until the process ends.
#[derive(Debug)]
pub(in crate::contenders) struct Monoio(#[expect(dead_code, reason = "it keeps the port")] OwnedFd);

impl Server for Monoio {
    fn start(workers: usize) -> io::Result<(Self, SocketAddr)> {
        let (port, address) = shared_port()?;
        let (up, ups) = mpsc::channel();
        spawn_bound(workers, move |_| {
            enter();
            runtime().block_on(async {
                // With SO_REUSEPORT, by default.
                let listener = TcpListener::bind(address);
                let _ = up.send(listener.as_ref().map(drop).map_err(io::Error::kind));
                if let Ok(listener) = listener {
                    accept(&listener).await;
                }
            });
        });
        // Each ended by a thread that listens, or by one that cannot.
        ups.into_iter().take(workers).collect::<Result<(), io::ErrorKind>>()?;
        Ok((Monoio(port), address))
    }
}

async fn accept(listener: &TcpListener) {
    loop {
        // Ended by a connection.
        let (stream, _) = listener.accept().await.expect("a connection is accepted");
        stream.set_nodelay(true).expect("a socket that is open");
        monoio::spawn(handle(stream));
    }
}

/// A socket that holds a port for listeners with `SO_REUSEPORT`, and does not listen itself.
fn shared_port() -> io::Result<(OwnedFd, SocketAddr)> {
    let holder = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    sockopt::set_socket_reuseport(&holder, true)?;
    bind(&holder, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = SocketAddr::try_from(getsockname(&holder)?)?;
    Ok((holder, address))
}

/// Serves a connection until its client closes it.
pub(super) async fn handle(mut stream: TcpStream) {
    let _open = Open::here();
    // What went wrong shows at the client, which has no answer then.
    let _ = serve(&mut stream).await;
}

async fn serve(stream: &mut TcpStream) -> io::Result<()> {
    let (mut input, mut output) = (Vec::with_capacity(HEAD_MOST_BYTES), Vec::with_capacity(HEAD_MOST_BYTES));
    loop {
        let end = input.len();
        // Ended by bytes, or by the end of the connection.
        let (read, room) = stream.read(input.slice_mut(end..HEAD_MOST_BYTES)).await;
        input = room.into_inner();
        if read? == 0 {
            return Ok(());
        }
        let progress = answer(&input, &mut output);
        input.drain(..progress.used);
        // Ended by the room in the socket's buffer, which the client makes by reading, or by the end of the connection.
        let (written, buffer) = stream.write_all(output).await;
        written?;
        output = buffer;
        output.clear();
        if progress.ends {
            return Ok(());
        }
    }
}
