//! The jobs' files, sockets and timers.
//!
//! Files and sockets are made by the standard library and handed to monoio: an `open` or `accept` of monoio's that is
//! dropped at the moment of its success loses a descriptor, which is a known limit, and would be found here again and
//! again.

use crate::{ledger::Ticket, work::Round};
use fastrand::Rng;
use monoio::{
    buf::IoBuf,
    io::{AsyncReadRent, AsyncReadRentExt, AsyncWriteRentExt},
    net::{TcpListener, UnixStream},
};
use std::{io, os::unix::net, time::Duration};

/// The scratch file starts with this many bytes that all read, each the number of its block.
pub(crate) const SHARED_BYTES: usize = 64 * BLOCK_BYTES;
pub(crate) const BLOCK_BYTES: usize = 4096;
/// Far beyond the end of a round.
const AGES: Duration = Duration::from_secs(3_600);

pub(crate) async fn read(round: &Round, rng: &mut Rng) {
    let block = rng.usize(..SHARED_BYTES / BLOCK_BYTES);
    let file =
        round.scratch.try_clone().and_then(monoio::fs::File::from_std).expect("a descriptor for the file");
    // Ended by the kernel.
    let (read, buffer) = file.read_at(vec![0; BLOCK_BYTES], (block * BLOCK_BYTES) as u64).await;
    if !matches!(read, Ok(BLOCK_BYTES)) || buffer.iter().any(|byte| usize::from(*byte) != block) {
        round.ledger.wrong(format!("block {block} reads as {read:?}"));
    }
}

/// Writes to a place of its own and reads that back.
pub(crate) async fn write(round: &Round, ticket: &Ticket) {
    let place = (SHARED_BYTES + ticket.id() % 1_024 * 8) as u64;
    let file =
        round.scratch.try_clone().and_then(monoio::fs::File::from_std).expect("a descriptor for the file");
    let bytes = ticket.id().to_ne_bytes().to_vec();
    // Ended by the kernel.
    let (wrote, bytes) = file.write_all_at(bytes, place).await;
    let (read, buffer) = file.read_exact_at(vec![0; bytes.len()], place).await;
    // A job of the next thousand may have written there meanwhile.
    let is_whole =
        buffer.try_into().is_ok_and(|read| usize::from_ne_bytes(read) % 1_024 == ticket.id() % 1_024);
    if wrote.is_err() || read.is_err() || !is_whole {
        round.ledger.wrong(format!("{ticket:?} wrote {wrote:?} and read {read:?}"));
    }
}

/// Sends bytes to itself.
pub(crate) async fn echo(round: &Round, rng: &mut Rng) {
    let (mut here, mut there) = pair().expect("a pair of sockets");
    let sent: Vec<u8> = (0..rng.usize(1..2_048)).map(|_| rng.u8(..)).collect();
    // Ended by the kernel: so little fits its buffer.
    let (wrote, sent) = here.write_all(sent).await;
    let (read, got) = there.read_exact(vec![0; sent.len()]).await;
    if wrote.is_err() || read.is_err() || got != sent {
        round
            .ledger
            .wrong(format!("{} bytes were written as {wrote:?} and read as {read:?}", sent.bytes_init()));
    }
}

/// Waits with the kernel for what never comes. Ended by an abort or with the pool.
pub(crate) async fn hang(round: &Round, rng: &mut Rng) {
    match rng.u8(..4) {
        0 => monoio::time::sleep(AGES).await,
        1 => {
            let (mut here, _there) = pair().expect("a pair of sockets");
            let _ = here.read(vec![0; BLOCK_BYTES]).await;
        }
        2 => {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").and_then(TcpListener::from_std);
            // Nobody knows its port.
            let _ = listener.expect("a port").accept().await;
        }
        _ => {
            let (mut here, _there) = pair().expect("a pair of sockets");
            // Read and timer race; the one that loses is dropped in flight.
            let _ = monoio::time::timeout(
                Duration::from_micros(rng.u64(..2_000)),
                here.read(vec![0; BLOCK_BYTES]),
            )
            .await;
            std::future::pending::<()>().await;
        }
    }
    round.ledger.wrong("what never comes has come");
}

fn pair() -> io::Result<(UnixStream, UnixStream)> {
    let (here, there) = net::UnixStream::pair()?;
    for stream in [&here, &there] {
        stream.set_nonblocking(true)?;
    }
    Ok((UnixStream::from_std(here)?, UnixStream::from_std(there)?))
}
