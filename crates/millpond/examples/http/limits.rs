//! What a client may cost: time and memory, each with an end.

use std::time::Duration;

/// The bytes of a request's head: line and fields. Browsers stay below 8 KiB, most servers' limit; cookies of a few more
/// pass. More is answered with 431. Of fields there may be 100 on HTTP/1, hyper's own limit.
pub(crate) const HEAD_BYTES: u32 = 16 * 1024;

/// The bytes of a request's body. Nothing that is served here wants one; clients that send a few all the same are
/// heard out, so that their connection can go on. More is answered with 413.
pub(crate) const BODY_BYTES: u64 = 16 * 1024;

/// A file is read and sent in steps of this size, and one that is no longer in a single step together with its head.
pub(crate) const CHUNK_BYTES: u64 = 64 * 1024;

/// What hyper may hold of an answer that the client does not take: two steps of a file.
pub(crate) const UNSENT_BYTES: usize = 128 * 1024;

/// How many requests may be under way on a connection of HTTP/2: as many as the protocol's page recommends at least.
pub(crate) const STREAMS: u32 = 100;

/// The time that each state of a connection may take; see [`Watch`](crate::watch::Watch).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For a request to come: its head from the first byte to the last, and then its body.
    pub(crate) header: Duration,
    /// For the next request to begin.
    pub(crate) idle: Duration,
    /// For the client to take some bytes of its answer.
    pub(crate) stall: Duration,
    /// For the client to close its side, when the server has closed.
    pub(crate) close: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        // Enough for a modem's packets that are lost twice; not enough to hold many connections with few bytes. A client
        // that has been silent for longer asks anew without much loss: a handshake without TLS is one round trip.
        Self { header: seconds(10), idle: seconds(60), stall: seconds(30), close: seconds(5) }
    }
}
