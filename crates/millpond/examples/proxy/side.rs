//! One of the two sockets of a connection, and how it is ended.

use std::os::fd::AsRawFd;

use monoio::io::{AsyncReadRent, AsyncWriteRent, OwnedReadHalf, OwnedWriteHalf, Split, Splitable};

use crate::reset::reset_on_close;

/// A socket of monoio's: TCP or Unix.
pub(crate) trait Socket: AsyncReadRent + AsyncWriteRent + Split + AsRawFd + 'static {}

impl<S: AsyncReadRent + AsyncWriteRent + Split + AsRawFd + 'static> Socket for S {}

/// A socket that is reset when it is dropped, by an error, a timeout or a cut-off, unless it was ended in order: an
/// ordinary close would tell the peer that all is well.
#[derive(Debug)]
pub(crate) struct Side<S: Socket> {
    /// Taken at the end only.
    halves: Option<Halves<S>>,
}

type Halves<S> = (OwnedReadHalf<S>, OwnedWriteHalf<S>);

impl<S: Socket> Side<S> {
    pub(crate) fn new(socket: S) -> Self {
        Self { halves: Some(socket.into_split()) }
    }

    /// What is read, and what is written.
    pub(crate) fn halves(&mut self) -> (&mut OwnedReadHalf<S>, &mut OwnedWriteHalf<S>) {
        let (read, write) = self.halves.as_mut().expect("only the end takes them");
        (read, write)
    }

    /// Closes it after both ways have ended. The kernel still delivers what it holds.
    pub(crate) fn end(mut self) {
        drop(self.halves.take());
    }
}

impl<S: Socket> Drop for Side<S> {
    fn drop(&mut self) {
        let Some((read, write)) = self.halves.take() else { return };
        // Together again first: a write half on its own would send FIN as it is dropped, and the reset would come too late.
        if let Ok(socket) = read.reunite(write) {
            reset_on_close(&socket);
        }
    }
}
