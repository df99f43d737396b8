//! Why a server did not start, or a connection was not handed on: each gives back what it was given.

use crate::{DriverKind, WorkerId};
use std::{error::Error, fmt, io};

/// Why a server did not start. The listener is inside, and still listens.
///
/// ```
/// use millpond::net::Server;
/// use std::net::{SocketAddr, TcpListener};
///
/// async fn handle(_stream: monoio::net::TcpStream, _peer: SocketAddr) {}
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let builder = Server::builder().max_connections(0);
/// let error = builder.serve(&pool, TcpListener::bind("127.0.0.1:0")?, handle).unwrap_err();
/// assert_eq!(error.setting(), Some("max_connections"));
/// println!("{error}"); // with the value, and the way out
/// let listener = error.listener;
/// # drop(listener); Ok(()) }
/// ```
pub struct ServeError<L> {
    /// What was to be served. It may no longer block, and may have got settings of the builder.
    pub listener: L,
    /// The builder's method whose value has to change, or the one nearest to it.
    setting: Option<&'static str>,
    message: String,
    source: Option<io::Error>,
}

/// The same without the listener, while it is still needed.
#[derive(Debug)]
pub(super) struct Refusal {
    setting: Option<&'static str>,
    message: String,
    source: Option<io::Error>,
}

impl Refusal {
    pub(super) fn none_allowed(setting: &'static str) -> Refusal {
        Refusal::of(setting, "is 0, so no connection would ever be accepted; allow at least 1".to_owned())
    }

    pub(super) fn no_idle_time() -> Refusal {
        let message =
            "is 0, so the server would end before its first connection; give it some time".to_owned();
        Refusal::of("idle_shutdown", message)
    }

    pub(super) fn backlog(asked: u32) -> Refusal {
        Refusal::of("backlog", format!("is {asked}; the kernel takes 1 to {}", i32::MAX))
    }

    pub(super) fn reuse_port_needs_tcp() -> Refusal {
        let message =
            "is ReusePort, which is for TCP: a Unix socket's address has one listener; use LeastConnections";
        Refusal::of("balance", message.to_owned())
    }

    pub(super) fn reuse_port_needs_tasks(most: usize) -> Refusal {
        let message = format!(
            "is ReusePort, for which each worker runs a task that accepts, and the pool's max_tasks_per_worker is {most}; \
             use LeastConnections, or limit connections by max_connections_per_worker instead"
        );
        Refusal::of("balance", message)
    }

    pub(super) fn driver(kind: DriverKind) -> Refusal {
        let message = format!(
            "is {kind:?} in this pool, on which the handler's stream does not work; build the pool on Driver::Auto"
        );
        Refusal::of("driver", message)
    }

    pub(super) fn pool_ended() -> Refusal {
        Refusal { setting: None, message: "the pool has shut down, or has begun to".to_owned(), source: None }
    }

    /// The system refused what the setting asks for.
    pub(super) fn system(setting: &'static str, error: io::Error) -> Refusal {
        let message = format!("was refused by the system: {error}");
        Refusal { source: Some(error), ..Refusal::of(setting, message) }
    }

    /// The system has no room for what a server needs.
    pub(super) fn no_room(what: &str, error: io::Error) -> Refusal {
        let message = format!("no {what} for the server: {error}; millpond::doctor() says what is short");
        Refusal { setting: None, message, source: Some(error) }
    }

    fn of(setting: &'static str, message: String) -> Refusal {
        Refusal { setting: Some(setting), message: format!("{setting} {message}"), source: None }
    }

    pub(super) fn with<L>(self, listener: L) -> ServeError<L> {
        let Refusal { setting, message, source } = self;
        ServeError { listener, setting, message, source }
    }
}

impl<L> ServeError<L> {
    /// The builder's method whose value has to change, if it is one's; `driver` is that of the pool's builder.
    pub fn setting(&self) -> Option<&'static str> {
        self.setting
    }
}

impl<L> fmt::Display for ServeError<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl<L> fmt::Debug for ServeError<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServeError").field("message", &self.message).finish_non_exhaustive()
    }
}

impl<L> Error for ServeError<L> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|error| error as _)
    }
}

/// Why [`handoff`](super::handoff()) did not move a connection: the worker is another pool's, or the pool is shutting down.
/// Stream and closure are inside.
///
/// ```
/// use millpond::net;
/// use monoio::net::TcpStream;
///
/// /// Goes on with the connection on the next worker, or here if that cannot be.
/// async fn pass_on(stream: TcpStream) {
///     let pool = millpond::Handle::current();
///     let next = pool.workers()[(millpond::worker_id().index() + 1) % pool.workers().len()];
///     if let Err(error) = net::handoff(stream, next, answer) {
///         println!("not moved to {}: {error}", error.worker);
///         answer(error.stream).await;
///     }
/// }
///
/// async fn answer(_stream: TcpStream) {}
/// ```
#[non_exhaustive]
pub struct HandoffError<S, F> {
    /// The connection.
    pub stream: S,
    /// What was to go on with it.
    pub closure: F,
    /// The worker that was asked for.
    pub worker: WorkerId,
    /// The pool takes no jobs any more.
    pub(super) has_ended: bool,
}

impl<S, F> fmt::Display for HandoffError<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.has_ended {
            return f.write_str(
                "the pool is shutting down and takes no more jobs; serve the connection where it is",
            );
        }
        write!(f, "{:?} is not a worker of the present pool; take one from Handle::workers", self.worker)
    }
}

impl<S, F> fmt::Debug for HandoffError<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandoffError").field("worker", &self.worker).finish_non_exhaustive()
    }
}

impl<S, F> Error for HandoffError<S, F> {}
