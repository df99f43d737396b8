//! Answers each line in capitals, logs who asked, and ends at a signal with nothing lost from the log.

use futures_util::future::{self, Either};
use millpond::channel::{self, Receiver, Sender};
use millpond::net::{Server, Stopping};
use millpond::time::timeout;
use millpond::{JobOptions, Pool};
use monoio::buf::IoBufMut;
use monoio::fs::OpenOptions;
use monoio::io::{AsyncReadRent, AsyncWriteRentExt};
use monoio::net::TcpStream;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;
use std::{env, io};

/// A peer that sends more without an end of line is sent away: it could fill the memory.
const MAX_LINE_BYTES: usize = 8 * 1024;

/// What each of the two shutdowns may take: together less than the 10 s that docker gives.
const GRACE: Duration = Duration::from_secs(4);

// ANCHOR: converse
/// Answers each line, until the peer ends, is silent for `idle`, or the server stops.
async fn converse(
    mut stream: TcpStream,
    idle: Duration,
    log: Sender<String>,
    stopping: Stopping,
) -> io::Result<()> {
    let peer = stream.peer_addr()?;
    let mut buffer = Vec::with_capacity(MAX_LINE_BYTES);
    loop {
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            // First the log, so that what was answered is in it. Waits if the writer does.
            log.send(format!("{peer} {} bytes\n", line.len())).await.map_err(io::Error::other)?;
            let answer = stream.write_all(line.to_ascii_uppercase());
            timeout(idle, answer).await.map_err(io::Error::other)?.0?;
        }
        let tail = buffer.len(); // of a line whose end has not come
        if tail == MAX_LINE_BYTES {
            return Err(io::Error::other("a line is too long"));
        }
        let request = pin!(timeout(idle, stream.read(buffer.slice_mut(tail..))));
        match future::select(pin!(stopping.wait()), request).await {
            Either::Right((Ok((read, slice)), _)) => match read? {
                0 => return Ok(()),
                _ => buffer = slice.into_inner(),
            },
            // Stopped, or idle. The read is dropped, with what it may have taken: no way on.
            Either::Left(_) | Either::Right((Err(_), _)) => return Ok(()),
        }
    }
}
// ANCHOR_END: converse

// ANCHOR: log
/// Writes all entries, until their last sender is gone. Says how many there were.
async fn write_log(path: PathBuf, entries: Receiver<String>) -> io::Result<usize> {
    let file = OpenOptions::new().append(true).create(true).open(path).await?;
    let (mut batch, mut written) = (Vec::new(), 0);
    while entries.recv_many(&mut batch, 256).await > 0 {
        written += batch.len();
        let text: String = batch.drain(..).collect();
        // At the end, whatever the position: the file is open to append.
        file.write_all_at(text.into_bytes(), 0).await.0?;
    }
    file.sync_all().await?;
    file.close().await?;
    Ok(written)
}
// ANCHOR_END: log

// ANCHOR: main
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1);
    let path = PathBuf::from(arguments.next().ok_or("the log's path is missing")?);
    let idle = Duration::from_secs(arguments.next().ok_or("the idle seconds are missing")?.parse()?);
    let mut signals = Signals::new([SIGINT, SIGTERM])?;

    let pool = Pool::builder().worker_threads(2).build()?;
    let (log, entries) = channel::bounded(1024);
    let writer = pool.spawn(move || write_log(path, entries));

    let builder = Server::builder().max_connections(1000).nodelay(true);
    let stopping = builder.stopping();
    let handler = move |stream: TcpStream, peer: SocketAddr| {
        let (log, stopping) = (log.clone(), stopping.clone());
        async move {
            if let Err(error) = converse(stream, idle, log, stopping).await {
                eprintln!("{peer}: {error}");
            }
        }
    };
    let named = pool.with_options(JobOptions::new().name("connection"));
    let server = builder.serve(&named, TcpListener::bind("127.0.0.1:0")?, handler)?;
    println!("listening on {}", server.local_addr());

    signals.forever().next(); // blocks this thread, and no worker
    let connections = server.shutdown_timeout_blocking(GRACE);
    // The handler has gone, and the log's senders with it: so the writer comes to its end.
    let jobs = pool.shutdown_timeout_blocking(GRACE);
    println!("{} of {} connections served", connections.served, connections.accepted());
    println!("{} jobs aborted, {} cut off", jobs.aborted, jobs.cut_off);
    println!("{} lines logged", writer.join()??);
    Ok(())
}
// ANCHOR_END: main
