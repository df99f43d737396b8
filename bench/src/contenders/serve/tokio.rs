//! tokio's multi-thread runtime with the handler of the others: what its tasks and its streams cost, without hyper.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

use crate::workloads::serve::{HEAD_MOST_BYTES, Open, Server, answer, enter};

#[derive(Debug)]
pub(in crate::contenders) struct Tokio(#[expect(dead_code, reason = "it keeps the runtime")] Runtime);

impl Server for Tokio {
    /// Any worker may take a task that is ready.
    const KEEPS_CONNECTIONS: bool = false;

    fn start(workers: usize) -> io::Result<(Self, SocketAddr)> {
        let (runtime, address) = serve_with(workers, |stream| {
            tokio::spawn(handle(stream));
        })?;
        Ok((Tokio(runtime), address))
    }
}

/// A runtime with one task that accepts, and gives each connection to `spawn`.
pub(super) fn serve_with(
    workers: usize,
    spawn: impl Fn(TcpStream) + Send + 'static,
) -> io::Result<(Runtime, SocketAddr)> {
    let runtime =
        Builder::new_multi_thread().worker_threads(workers).enable_all().on_thread_start(enter).build()?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    runtime.spawn(async move {
        loop {
            // Ended by a connection.
            let (stream, _) = listener.accept().await.expect("a connection is accepted");
            stream.set_nodelay(true).expect("a socket that is open");
            spawn(stream);
        }
    });
    Ok((runtime, address))
}

async fn handle(mut stream: TcpStream) {
    let _open = Open::here();
    // What went wrong shows at the client, which has no answer then.
    let _ = serve(&mut stream).await;
}

async fn serve(stream: &mut TcpStream) -> io::Result<()> {
    let (mut input, mut filled) = (vec![0; HEAD_MOST_BYTES], 0);
    let mut output = Vec::with_capacity(HEAD_MOST_BYTES);
    loop {
        // Ended by bytes, or by the end of the connection.
        match stream.read(&mut input[filled..]).await? {
            0 => return Ok(()),
            read => filled += read,
        }
        let progress = answer(&input[..filled], &mut output);
        input.copy_within(progress.used..filled, 0);
        filled -= progress.used;
        // Ended by the room in the socket's buffer, which the client makes by reading, or by the end of the connection.
        stream.write_all(&output).await?;
        output.clear();
        if progress.ends {
            return Ok(());
        }
    }
}
