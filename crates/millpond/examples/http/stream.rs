//! monoio's stream, as hyper wants one.
//!
//! The kernel owns a buffer while a ring reads or writes it; hyper lends one for a call only. So each side has a buffer of
//! its own, and bytes are copied once.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use hyper::rt::{Read, ReadBufCursor, Write};
use monoio::io::Splitable;
use monoio::net::TcpStream;

use crate::reads::Reads;
use crate::watch::Watch;
use crate::writes::Writes;

/// The two sides of a connection.
pub(crate) struct Stream {
    pub(crate) reads: Reads,
    writes: Writes,
    watch: Rc<Watch>,
    /// Whether the client is heard out, decided when this side is closed: the watch moves on.
    hears_out: Option<bool>,
}

impl Stream {
    pub(crate) fn new(stream: TcpStream, watch: &Rc<Watch>) -> Self {
        let (read, write) = stream.into_split();
        let (reads, writes) = (Reads::new(read, Rc::clone(watch)), Writes::new(write, Rc::clone(watch)));
        Self { reads, writes, watch: Rc::clone(watch), hears_out: None }
    }

    /// Reads until the client has closed its side too, and throws it away. Ended by that, or by the watch.
    fn poll_hear_out(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let unread = self.reads.unread(<[u8]>::len);
        self.reads.take(unread);
        match ready!(self.reads.poll_more(cx)) {
            Ok(false) | Err(_) => Poll::Ready(()),
            Ok(true) => {
                // Others have their turn between two reads.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.reads.poll_some(cx))?;
        let taken = self.reads.unread(|bytes| {
            let count = bytes.len().min(cursor.remaining());
            cursor.put_slice(&bytes[..count]);
            count
        });
        self.reads.take(taken);
        Poll::Ready(Ok(()))
    }
}

/// It does not call itself vectored, though it is, and HTTP/1 is told so by the connection's settings: `h2` would pass each
/// frame of more than 255 bytes on by itself, and they are gathered here in any case.
impl Write for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.writes.poll_write(cx, parts)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writes.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.writes.poll_close(cx));
        let this = &mut *self;
        if *this.hears_out.get_or_insert_with(|| this.watch.hears_out()) {
            ready!(self.poll_hear_out(cx));
        }
        Poll::Ready(Ok(()))
    }
}
