//! The owner of a server.

use super::{ServeReceipt, ServerBuilder, Stopping, state::State};
use crate::{channel::Receiver, context};
use std::{
    convert::Infallible,
    fmt,
    net::SocketAddr,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

/// A server: a listener whose connections are balanced over a pool's workers.
///
/// Dropping it stops accepting and cuts off the open connections: each handler is dropped at its next await, on its own
/// worker. The drop waits for none of that. To let connections end by themselves, call one of the shutdowns.
///
/// Its connections are jobs of the pool. A pool that shuts down ends them as it ends its other jobs, and the server then
/// accepts no more.
///
/// `A` is where it listens: a [`SocketAddr`], or the one of Unix sockets.
///
/// ```
/// use millpond::net::{self, Balance};
/// use monoio::{io::{AsyncReadRent, AsyncWriteRentExt}, net::TcpStream};
/// use std::{io::{Read, Write}, net::{SocketAddr, TcpListener}, time::Duration};
///
/// async fn echo(mut stream: TcpStream, _peer: SocketAddr) {
///     let (mut read, mut buffer) = stream.read(vec![0; 4096]).await;
///     while let Ok(1..) = read {
///         let (written, bytes) = stream.write_all(buffer).await;
///         if written.is_err() {
///             break;
///         }
///         (read, buffer) = stream.read(bytes).await;
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let server = net::serve(&pool, TcpListener::bind("127.0.0.1:0")?, Balance::LeastConnections, echo)?;
///
/// let mut client = std::net::TcpStream::connect(server.local_addr())?;
/// client.write_all(b"ping")?;
/// let mut answer = [0; 4];
/// client.read_exact(&mut answer)?;
/// assert_eq!(&answer, b"ping");
/// drop(client);
///
/// let receipt = server.shutdown_timeout_blocking(Duration::from_secs(10));
/// assert_eq!(receipt.served, 1);
/// # Ok(()) }
/// ```
///
/// What it does meanwhile, and how it ends:
///
/// ```
/// use millpond::net::{self, Balance};
/// use std::net::{SocketAddr, TcpListener};
///
/// async fn handle(_stream: monoio::net::TcpStream, _peer: SocketAddr) {}
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use std::time::Duration;
/// # let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// # let serve = || net::serve(&pool, TcpListener::bind("127.0.0.1:0").unwrap(), Balance::RoundRobin, handle);
/// let server = serve()?;
/// println!("{} open, of each worker {:?}", server.open_connections(), server.connections_per_worker());
/// let stopping = server.stopping();
/// server.stop_accepting(); // what is open stays open
/// stopping.wait_blocking(); // or `stopping.wait().await`
/// server.shutdown_blocking(); // each connection ends by itself
/// # futures_lite::future::block_on(async {
/// # let (server, other) = (serve()?, serve()?);
///
/// // In async code, on any executor:
/// server.shutdown().await;
/// other.shutdown_timeout(Duration::from_secs(10)).await; // and then cuts off
/// # Ok(()) }) }
/// ```
#[must_use = "dropping a server cuts off its connections"]
pub struct Server<A = SocketAddr> {
    state: Arc<State>,
    local_addr: A,
    stopping: Stopping,
    /// Ends when the server's thread has nothing left to do.
    ended: Receiver<Infallible>,
    /// That thread, until it is joined.
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    /// Settings for a server.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::new()
    }
}

impl<A: Clone> Server<A> {
    pub(super) fn from_parts(
        state: Arc<State>,
        local_addr: A,
        stopping: Stopping,
        ended: Receiver<Infallible>,
        thread: thread::JoinHandle<()>,
    ) -> Server<A> {
        Server { state, local_addr, stopping, ended, thread: Some(thread) }
    }

    /// Where it listens: with the port that the system chose, if it was told to choose.
    pub fn local_addr(&self) -> A {
        self.local_addr.clone()
    }
}

impl<A> Server<A> {
    /// The connections open now: accepted, and their handlers not at their ends. Also those whose handlers have yet to begin.
    pub fn open_connections(&self) -> usize {
        self.state.open()
    }

    /// The same of each worker, in the order of the workers.
    pub fn connections_per_worker(&self) -> Vec<usize> {
        (0..self.state.workers()).map(|worker| self.state.open_on(worker)).collect()
    }

    /// What has become of the connections that have ended so far.
    pub fn receipt(&self) -> ServeReceipt {
        self.state.receipt()
    }

    /// Tells of the end of accepting, by whatever cause: [`stop_accepting`](Self::stop_accepting), a shutdown,
    /// [`idle_shutdown`](ServerBuilder::idle_shutdown), the end of the pool.
    pub fn stopping(&self) -> Stopping {
        self.stopping.clone()
    }

    /// Stops accepting, soon after the call: connections that the kernel has ready by then are still taken, if there is
    /// room, and then the listener is closed. What is open stays open.
    pub fn stop_accepting(&self) {
        self.state.stop(None);
    }

    /// Stops accepting, and waits until every connection has ended by itself.
    ///
    /// A handler that serves its connection for as long as the peer likes makes this wait as long; see
    /// [`Stopping`], and [`shutdown_timeout`](Self::shutdown_timeout). One that awaits this itself waits for its own end.
    ///
    /// # Cancel safety
    /// Dropped before its end, it drops the server, which cuts off what is left.
    pub async fn shutdown(self) -> ServeReceipt {
        // Ended as `shutdown_until` is.
        self.shutdown_until(None).await
    }

    /// Shuts down like [`shutdown`](Self::shutdown) for as long as `limit`, and then cuts off what is left: each handler is
    /// dropped at its next await. One that computes without an await is waited for; under
    /// [`ReusePort`](super::Balance::ReusePort), so is any job that does, since its worker has to close a listener.
    ///
    /// # Cancel safety
    /// As `shutdown`.
    pub async fn shutdown_timeout(self, limit: Duration) -> ServeReceipt {
        // Ended as `shutdown_until` is. A limit past the end of the clock is none.
        self.shutdown_until(Instant::now().checked_add(limit)).await
    }

    /// As [`shutdown`](Self::shutdown), for a plain thread.
    ///
    /// # Panics
    /// On a worker of the pool, whose connections it would wait for. The server is then dropped.
    pub fn shutdown_blocking(self) -> ServeReceipt {
        self.block_until_shutdown(None)
    }

    /// As [`shutdown_timeout`](Self::shutdown_timeout), for a plain thread.
    ///
    /// # Panics
    /// As `shutdown_blocking`.
    pub fn shutdown_timeout_blocking(self, limit: Duration) -> ServeReceipt {
        self.block_until_shutdown(Instant::now().checked_add(limit))
    }

    async fn shutdown_until(mut self, deadline: Option<Instant>) -> ServeReceipt {
        self.state.stop(deadline);
        // Ended by the server's thread, whose last act is to drop the sender. It keeps the deadline, so no timer is needed
        // here, on whatever executor.
        let _never = self.ended.recv().await;
        self.finish()
    }

    fn block_until_shutdown(mut self, deadline: Option<Instant>) -> ServeReceipt {
        assert!(
            !context::on_worker_of(self.state.pool.shared().id),
            "a server's shutdown would block a worker of the pool whose connections it waits for; use shutdown().await"
        );
        self.state.stop(deadline);
        // Ended as `shutdown_until` is.
        let _never = self.ended.recv_blocking();
        self.finish()
    }

    /// Joins the thread, which has done its last act, and reads the receipt.
    fn finish(&mut self) -> ServeReceipt {
        if let Some(thread) = self.thread.take() {
            // Ended by the thread's return.
            let _ = thread.join();
        }
        self.state.receipt()
    }
}

impl<A> Drop for Server<A> {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.state.cut_off();
        }
    }
}

impl<A: fmt::Debug> fmt::Debug for Server<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("local_addr", &self.local_addr)
            .field("connections_per_worker", &self.connections_per_worker())
            .field("is_stopping", &self.stopping.is_stopping())
            .finish_non_exhaustive()
    }
}
