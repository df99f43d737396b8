//! The settings of a server.

use super::{
    Balance, Listener, ServeError, Server, Stopping, Stream, error::Refusal, start::Prepared, take::Hook,
};
use crate::{
    Handle,
    channel::{self, Receiver, Sender},
};
use rustix::{
    io::ioctl_fionbio,
    net::{listen, sockopt},
};
use std::{convert::Infallible, fmt, future::Future, io, sync::Arc, time::Duration};

/// What the kernel may hold of connections that nobody has accepted, if the builder is not told: as `std` asks for. The
/// kernel grants no more than `net.core.somaxconn`, 4,096 by default.
const DEFAULT_BACKLOG: u32 = 4096;

/// Settings of a server. Dropping it does nothing.
///
/// ```
/// use millpond::net::{Balance, Server};
/// use std::net::{SocketAddr, TcpListener};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let server = Server::builder()
///     .balance(Balance::RoundRobin)
///     .max_connections(10_000)
///     .nodelay(true)
///     .serve(&pool, TcpListener::bind("127.0.0.1:0")?, |_stream: monoio::net::TcpStream, peer: SocketAddr| async move {
///         println!("{peer} has come");
///     })?;
/// # server.shutdown_blocking(); Ok(()) }
/// ```
///
/// With every other setting:
///
/// ```
/// use millpond::net::Server;
/// use std::{net::{SocketAddr, TcpListener}, time::Duration};
///
/// async fn handle(_stream: monoio::net::TcpStream, _peer: SocketAddr) {}
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let builder = Server::builder()
///     .backlog(1024)
///     .max_connections_per_worker(5_000)
///     .keepalive(Duration::from_secs(60), Duration::from_secs(10), 3)
///     .on_accept_error(|error| eprintln!("nothing can be accepted now: {error}"))
///     .idle_shutdown(Duration::from_secs(300));
/// let stopping = builder.stopping(); // for the handlers of long-lived connections
/// let server = builder.serve(&pool, TcpListener::bind("127.0.0.1:0")?, handle)?;
/// # server.shutdown_blocking(); assert!(stopping.is_stopping()); Ok(()) }
/// ```
#[must_use = "a builder does nothing until `serve`"]
pub struct ServerBuilder {
    pub(super) balance: Balance,
    backlog: Option<u32>,
    pub(super) max_connections: usize,
    pub(super) max_connections_per_worker: usize,
    nodelay: Option<bool>,
    keepalive: Option<KeepAlive>,
    pub(super) on_accept_error: Option<Hook>,
    pub(super) idle_shutdown: Option<Duration>,
    /// The server's word that it stops, and a receiver of it.
    pub(super) stop: (Sender<Infallible>, Receiver<Infallible>),
}

#[derive(Clone, Copy, Debug)]
struct KeepAlive {
    idle: Duration,
    interval: Duration,
    probes: u32,
}

impl ServerBuilder {
    pub(super) fn new() -> ServerBuilder {
        ServerBuilder {
            balance: Balance::default(),
            backlog: None,
            max_connections: usize::MAX,
            max_connections_per_worker: usize::MAX,
            nodelay: None,
            keepalive: None,
            on_accept_error: None,
            idle_shutdown: None,
            stop: channel::unbounded(),
        }
    }

    /// How connections are shared out. By default [`Balance::LeastConnections`].
    pub fn balance(mut self, balance: Balance) -> ServerBuilder {
        self.balance = balance;
        self
    }

    /// How many connections the kernel may hold that nobody has accepted yet, from 1; it grants no more than
    /// `net.core.somaxconn`. By default what the listener has, and 4,096 for those that `ReusePort` adds. See listen(2).
    pub fn backlog(mut self, connections: u32) -> ServerBuilder {
        self.backlog = Some(connections);
        self
    }

    /// How many connections may be open before the server accepts no more until one has ended. By default there is no limit.
    ///
    /// Each is a job of the pool while it is open, so on a pool that serves use this rather than
    /// [`max_tasks_per_worker`](crate::Builder::max_tasks_per_worker): with that, connections that idle hold the places, and
    /// further ones, which are accepted, wait for them, as do other jobs.
    ///
    /// Those that come meanwhile wait in the kernel's backlog, and when that is full, their clients retry. Choose it below
    /// what `ulimit -n` leaves to connections: a driver may close a stream's descriptor a little after its handler's end.
    pub fn max_connections(mut self, connections: usize) -> ServerBuilder {
        self.max_connections = connections;
        self
    }

    /// How many connections a worker may have before it is passed over; with all workers at it, the server accepts no more
    /// until one has ended. By default there is no limit. A connection that is
    /// [handed on](super::handoff()) is not held back by it.
    pub fn max_connections_per_worker(mut self, connections: usize) -> ServerBuilder {
        self.max_connections_per_worker = connections;
        self
    }

    /// Whether connections send small packets at once (`TCP_NODELAY`, see tcp(7)). By default as the listener is set. Unix
    /// sockets have no such setting, and are not changed.
    pub fn nodelay(mut self, nodelay: bool) -> ServerBuilder {
        self.nodelay = Some(nodelay);
        self
    }

    /// Has the kernel find out peers that have gone without a word: it probes a connection after so long without traffic,
    /// then each `interval`, and ends it when as many `probes` in a row get no answer. The times are whole seconds, from 1
    /// to 32,767, and 1 to 127 probes; see tcp(7), `TCP_KEEPIDLE`. By default as the listener is set. Unix sockets are not
    /// changed.
    pub fn keepalive(mut self, idle: Duration, interval: Duration, probes: u32) -> ServerBuilder {
        self.keepalive = Some(KeepAlive { idle, interval, probes });
        self
    }

    /// Is called when no connection can be accepted, as for want of descriptors (EMFILE, ENFILE) or memory, and again after
    /// each pause while that lasts: 10 milliseconds, then twice as long each time, up to a second. By default stderr is told
    /// once. In either case the server goes on. Errors that are one connection's own are not told.
    pub fn on_accept_error(mut self, hook: impl Fn(&io::Error) + Send + Sync + 'static) -> ServerBuilder {
        self.on_accept_error = Some(Arc::new(hook));
        self
    }

    /// Stops the server when no connection has been open for so long, as one that is started for a connection does
    /// (systemd's socket activation). By default it never does. [`Server::stopping`] tells when.
    pub fn idle_shutdown(mut self, idle: Duration) -> ServerBuilder {
        self.idle_shutdown = Some(idle);
        self
    }

    /// What tells handlers that the server stops accepting. To be moved into the handler before there is a server.
    pub fn stopping(&self) -> Stopping {
        Stopping { ended: self.stop.1.clone() }
    }

    /// Starts to serve what the listener gets: each connection is a job on one worker, which calls the handler and polls its
    /// future there. The future need not be `Send`; when it has ended, its stream is closed. A panic in it closes its
    /// connection and harms nothing else.
    ///
    /// `handler` is a function of a driver's stream and the peer's address. Written as a closure it has to name their types.
    ///
    /// The listener is made one that does not block, also for whoever holds a clone of it.
    ///
    /// # Errors
    /// The listener comes back: a setting is out of range, or means nothing to it; the pool has shut down, or its driver
    /// has no such streams; the system has no thread or descriptors.
    #[track_caller]
    pub fn serve<L, S, H, Fut>(
        self,
        pool: &Handle,
        listener: L,
        handler: H,
    ) -> Result<Server<L::Addr>, ServeError<L>>
    where
        L: Listener,
        S: Stream<Socket = L::Socket>,
        H: Fn(S, L::Addr) -> Fut + Send + Clone + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        match Prepared::new::<S>(self, pool.located(), &listener) {
            Ok(prepared) => Ok(prepared.start(listener, handler)),
            Err(refusal) => Err(refusal.with(listener)),
        }
    }

    /// Names what can be no setting, or not with this pool and listener.
    pub(super) fn check<L: Listener, S: Stream>(&self, pool: &Handle) -> Result<(), Refusal> {
        if self.max_connections == 0 {
            return Err(Refusal::none_allowed("max_connections"));
        }
        if self.max_connections_per_worker == 0 {
            return Err(Refusal::none_allowed("max_connections_per_worker"));
        }
        if self.idle_shutdown.is_some_and(|idle| idle.is_zero()) {
            return Err(Refusal::no_idle_time());
        }
        if self.balance == Balance::ReusePort && !L::IS_TCP {
            return Err(Refusal::reuse_port_needs_tcp());
        }
        let most_tasks = pool.shared().max_tasks_per_worker;
        if self.balance == Balance::ReusePort && most_tasks != usize::MAX {
            return Err(Refusal::reuse_port_needs_tasks(most_tasks));
        }
        if !S::works_on(pool.shared().driver) {
            return Err(Refusal::driver(pool.shared().driver));
        }
        if pool.shared().is_running() { Ok(()) } else { Err(Refusal::pool_ended()) }
    }

    /// Makes the listener what it is to be. Returns its backlog.
    pub(super) fn set_up<L: Listener>(&self, listener: &L) -> Result<i32, Refusal> {
        let asked = self.backlog.unwrap_or(DEFAULT_BACKLOG);
        let backlog = i32::try_from(asked).ok().filter(|&backlog| backlog > 0);
        let backlog = backlog.ok_or_else(|| Refusal::backlog(asked))?;
        if self.backlog.is_some() {
            // Again, on a socket that listens: the newer number holds.
            listen(listener, backlog).map_err(|error| Refusal::system("backlog", error.into()))?;
        }
        self.set_socket(listener)?;
        Ok(backlog)
    }

    /// The kernel gives to each accepted socket what its listener has, so this is done once.
    pub(super) fn set_socket<L: Listener>(&self, listener: &L) -> Result<(), Refusal> {
        ioctl_fionbio(listener, true)
            .map_err(|error| Refusal::no_room("listener that does not block", error.into()))?;
        if !L::IS_TCP {
            return Ok(());
        }
        if let Some(nodelay) = self.nodelay {
            sockopt::set_tcp_nodelay(listener, nodelay).map_err(system("nodelay"))?;
        }
        if let Some(KeepAlive { idle, interval, probes }) = self.keepalive {
            sockopt::set_socket_keepalive(listener, true).map_err(system("keepalive"))?;
            sockopt::set_tcp_keepidle(listener, idle).map_err(system("keepalive"))?;
            sockopt::set_tcp_keepintvl(listener, interval).map_err(system("keepalive"))?;
            sockopt::set_tcp_keepcnt(listener, probes).map_err(system("keepalive"))?;
        }
        Ok(())
    }
}

/// The system's refusal of what a setting asks for.
pub(super) fn system<E: Into<io::Error>>(setting: &'static str) -> impl Fn(E) -> Refusal {
    move |error| Refusal::system(setting, error.into())
}

impl fmt::Debug for ServerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerBuilder")
            .field("balance", &self.balance)
            .field("backlog", &self.backlog)
            .field("max_connections", &self.max_connections)
            .field("max_connections_per_worker", &self.max_connections_per_worker)
            .field("nodelay", &self.nodelay)
            .field("keepalive", &self.keepalive)
            .field("idle_shutdown", &self.idle_shutdown)
            .finish_non_exhaustive()
    }
}
