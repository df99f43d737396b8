//! What became of the connections.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What became of every connection that a server took from the kernel, in four counts that add up to all of them.
///
/// ```
/// use millpond::net::{self, Balance};
/// use std::net::{SocketAddr, TcpListener, TcpStream};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// async fn close(_stream: monoio::net::TcpStream, _peer: SocketAddr) {}
///
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let server = net::serve(&pool, TcpListener::bind("127.0.0.1:0")?, Balance::default(), close)?;
/// drop(TcpStream::connect(server.local_addr())?);
/// let receipt = server.shutdown_blocking();
/// assert_eq!((receipt.served, receipt.accepted()), (1, 1));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServeReceipt {
    /// Connections whose handler ran to its end.
    pub served: u64,
    /// Connections whose handler panicked, which closed them.
    pub panicked: u64,
    /// Connections whose handler was dropped before its end: by the server's end, or by the pool's. In the pool's
    /// [`Receipt`](crate::Receipt) the former are `aborted`.
    pub cut_off: u64,
    /// Connections that no handler got: the pool or the server ended first, or the driver made no stream of them.
    pub refused: u64,
}

impl ServeReceipt {
    /// All the connections that the server had accepted: the sum of the four counts.
    pub fn accepted(&self) -> u64 {
        self.served + self.panicked + self.cut_off + self.refused
    }
}

/// The same, while it is being counted. A connection is counted before it gives up its place, so with no place taken the
/// counts are whole.
#[derive(Debug, Default)]
pub(super) struct Ended {
    pub(super) served: AtomicU64,
    pub(super) panicked: AtomicU64,
    pub(super) cut_off: AtomicU64,
    pub(super) refused: AtomicU64,
}

impl Ended {
    pub(super) fn receipt(&self) -> ServeReceipt {
        ServeReceipt {
            served: self.served.load(Relaxed),
            panicked: self.panicked.load(Relaxed),
            cut_off: self.cut_off.load(Relaxed),
            refused: self.refused.load(Relaxed),
        }
    }
}
