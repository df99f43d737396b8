//! Copies both ways at the same time, until both sides have ended.
//!
//! One buffer each way, read into and written from again and again. A buffer is not read into before all of it is
//! written: the slower side holds the faster one up, and memory stays what it is. While one is held up it is not read
//! from, and its reset is not seen: the slower side's next move, or the idle timeout, comes first.

use std::io;

use futures_lite::future::{or, try_zip};
use monoio::buf::IoBuf;
use monoio::io::{AsyncReadRent, AsyncWriteRent};

use crate::idle::Idle;
use crate::side::{Side, Socket};
use crate::tally::{Count, Way};

/// The size of a buffer. Measured on values of 1 MiB through one worker, in its CPU time: 16 KiB take half as much again, 4
/// KiB five times as much, 64 KiB no less and 256 KiB a fifth less, at eight times the memory for each connection. With
/// small values all are alike. `splice`, which would need no buffer, takes a quarter more than 32 KiB, and with small
/// values 1.4 times as much: on a ring it goes by way of threads of the kernel's.
const BUFFER_BYTES: usize = 32 * 1024;

/// Copies between two sides. Ended in order by both of them, or by a reset of both when either fails or nothing has
/// moved for too long.
pub(crate) async fn relay<C: Socket, U: Socket>(
    mut client: Side<C>,
    mut upstream: Side<U>,
    idle: &Idle,
    count: &Count,
) -> io::Result<()> {
    let (from_client, to_client) = client.halves();
    let (from_upstream, to_upstream) = upstream.halves();
    let up = copy(from_client, to_upstream, |bytes| {
        idle.reset();
        count.add(Way::ToUpstream, bytes);
    });
    let down = copy(from_upstream, to_client, |bytes| {
        idle.reset();
        count.add(Way::ToClient, bytes);
    });
    let too_long = async {
        idle.over().await;
        Err(io::ErrorKind::TimedOut.into())
    };
    // Ended by the end of both ways, by the first error, or by the timer. What is dropped then in mid-read or mid-write is
    // cancelled on the ring, which keeps its buffer and its socket until that has come through.
    or(async { try_zip(up, down).await.map(|_| ()) }, too_long).await?;
    client.end();
    upstream.end();
    Ok(())
}

/// Copies one way, and passes the end on.
async fn copy(
    mut from: impl AsyncReadRent,
    mut to: impl AsyncWriteRent,
    moved: impl Fn(usize),
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    loop {
        let read;
        // Ended by bytes, by the end of the stream or by an error of the socket, on this worker's ring.
        (read, buffer) = from.read(buffer).await;
        match read {
            Ok(0) => return to.shutdown().await,
            Ok(_) => buffer = write(&mut to, buffer, &moved).await?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Writes all that the buffer holds, and gives it back.
async fn write(
    to: &mut impl AsyncWriteRent,
    mut buffer: Vec<u8>,
    moved: &impl Fn(usize),
) -> io::Result<Vec<u8>> {
    let mut start = 0;
    while start < buffer.len() {
        // Ended by room in the socket or by its error, on this worker's ring.
        let (written, rest) = to.write(buffer.slice(start..)).await;
        buffer = rest.into_inner();
        match written {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(bytes) => {
                moved(bytes);
                start += bytes;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(buffer)
}
