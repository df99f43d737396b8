//! Which HTTP a connection speaks, by the first bytes of it.

use std::future::poll_fn;
use std::io;

use crate::stream::Stream;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// What a client of HTTP/2 begins with. It was chosen so that no server of HTTP/1 takes it for a request.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Waits until the first bytes tell, and leaves them where they are.
pub(crate) async fn detect(stream: &mut Stream) -> io::Result<Protocol> {
    loop {
        if let Some(protocol) = stream.reads.unread(judge) {
            return Ok(protocol);
        }
        // Ended by bytes, by the client's end, or by a reset.
        if !poll_fn(|cx| stream.reads.poll_more(cx)).await? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// `None` while it could be either.
fn judge(bytes: &[u8]) -> Option<Protocol> {
    let common = bytes.len().min(PREFACE.len());
    match bytes[..common] == PREFACE[..common] {
        false => Some(Protocol::Http1),
        true if common == PREFACE.len() => Some(Protocol::Http2),
        true => None,
    }
}
