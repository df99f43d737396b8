//! Word of a server's stop, for its handlers.

use crate::channel::Receiver;
use std::{
    convert::Infallible,
    fmt,
    future::{Future, poll_fn},
    pin::pin,
    task::{Poll, Waker},
};

/// Tells handlers that their server stops accepting, so that those of long-lived connections can end.
///
/// A cheap clone, for as many handlers as there are. Dropping it does nothing.
///
/// ```
/// use millpond::net::Server;
/// use monoio::{io::AsyncReadRent, net::TcpStream};
/// use std::net::{SocketAddr, TcpListener};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let builder = Server::builder();
/// let stopping = builder.stopping();
/// let server = builder.serve(&pool, TcpListener::bind("127.0.0.1:0")?, move |stream: TcpStream, _: SocketAddr| {
///     let stopping = stopping.clone();
///     async move {
///         let mut stream = stream;
///         // A request, or the end of the server, whichever comes first.
///         let request = stream.read(vec![0; 1024]);
///         futures_lite::future::or(async { drop(request.await) }, stopping.wait()).await;
///     }
/// })?;
/// let client = std::net::TcpStream::connect(server.local_addr())?;
/// # while server.open_connections() == 0 { std::thread::yield_now() }
/// assert_eq!(server.shutdown_blocking().served, 1); // although the client is still there
/// # drop(client); Ok(()) }
/// ```
///
/// On a plain thread:
///
/// ```
/// # fn supervise(stopping: millpond::net::Stopping) {
/// if !stopping.is_stopping() {
///     stopping.wait_blocking();
/// }
/// println!("nothing is accepted any more");
/// # }
/// ```
#[derive(Clone)]
pub struct Stopping {
    /// Never gets anything: its end is the word.
    pub(super) ended: Receiver<Infallible>,
}

impl Stopping {
    /// Waits until the server stops accepting, by whatever cause.
    ///
    /// # Cancel safety
    /// Dropped before its end, it loses nothing.
    pub async fn wait(&self) {
        let mut ended = pin!(self.ended.recv());
        // The waker that the channel has.
        let mut left: Option<Waker> = None;
        // Ended by the drop of the sender, when the server stops. A handler that selects on this polls it whenever its
        // connection moves: the channel, which all connections share, is asked only if its answer can be a new one.
        let never = poll_fn(|cx| {
            let has_it = left.as_ref().is_some_and(|left| left.will_wake(cx.waker()));
            if has_it && !self.is_stopping() {
                return Poll::Pending;
            }
            left = Some(cx.waker().clone());
            ended.as_mut().poll(cx)
        })
        .await;
        debug_assert!(never.is_none());
    }

    /// As [`wait`](Self::wait), for a plain thread, which it blocks; on a worker it would hold up all that runs there.
    pub fn wait_blocking(&self) {
        // Ended as `wait` is.
        let never = self.ended.recv_blocking();
        debug_assert!(never.is_none());
    }

    /// Whether the server has stopped accepting.
    pub fn is_stopping(&self) -> bool {
        self.ended.is_closed()
    }
}

impl fmt::Debug for Stopping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stopping").field("is_stopping", &self.is_stopping()).finish()
    }
}
