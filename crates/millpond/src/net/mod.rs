//! Connections, balanced over the workers.
//!
//! monoio's own way to share out connections is `SO_REUSEPORT`: the kernel chooses a thread by a hash of the addresses. With
//! few connections, or long ones, some threads get several times what others get. [`serve`] has the server choose: each
//! connection goes to the worker with the fewest, and a worker that is computing gets none while another is free.
//!
//! ```
//! use millpond::net::{self, Balance};
//! use monoio::{io::AsyncWriteRentExt, net::TcpStream};
//! use std::net::{SocketAddr, TcpListener};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! async fn greet(mut stream: TcpStream, peer: SocketAddr) {
//!     let greeting = format!("{peer}, you are on {}\n", millpond::worker_id());
//!     let _ = stream.write_all(greeting.into_bytes()).await;
//! }
//!
//! let pool = millpond::Pool::builder().worker_threads(2).build()?;
//! let server = net::serve(&pool, TcpListener::bind("127.0.0.1:0")?, Balance::LeastConnections, greet)?;
//! # use std::io::Read;
//! # let mut said = String::new();
//! # std::net::TcpStream::connect(server.local_addr())?.read_to_string(&mut said)?;
//! # assert!(said.ends_with("on worker 0\n"), "{said}");
//! # drop(server); Ok(()) }
//! ```
//!
//! # A connection
//!
//! It is a job of the pool: the handler's future is made, polled and dropped on one worker, and need not be `Send`. All that
//! works in jobs works in it. It has ended when the handler has; [`handoff()`] moves it to another worker before that.
//!
//! # Who accepts
//!
//! One thread of the server, which does nothing else. So the choice is made by counts that are exact, and no connection
//! waits to be accepted by a worker that is computing. What was offered to a worker that does not come to take it,
//! because a handler there computes, is offered to another after 50 milliseconds, and that worker gets nothing until it
//! moves again. With [`Balance::ReusePort`] the workers accept, each from a listener of its own.
//!
//! # The end
//!
//! [`Server::shutdown_timeout`] lets connections end, for a while; handlers of long-lived ones learn by [`Stopping`] that
//! they should. The [`ServeReceipt`] says what became of all.

mod accept_loop;
mod acceptor;
mod balance;
mod builder;
mod connection;
mod error;
mod handoff;
mod intake;
mod listener;
mod offers;
mod receipt;
pub(crate) mod room;
mod server;
mod stage;
mod start;
mod state;
mod stopping;
mod stream;
mod take;

pub use balance::Balance;
pub use builder::ServerBuilder;
pub use error::{HandoffError, ServeError};
pub use handoff::handoff;
pub use listener::Listener;
pub use receipt::ServeReceipt;
pub use server::Server;
pub use stopping::Stopping;
pub use stream::Stream;

use crate::Handle;
use std::future::Future;

/// Serves what a listener gets, balanced over the workers of a pool. For more settings, see [`Server::builder`].
/// The [module's page](self) has an example.
///
/// The handler is a function of the stream and the peer's address that gives a future of `()`; [`ServerBuilder::serve`] has
/// more. Written as a closure it has to name their types: `|stream: TcpStream, peer: SocketAddr| async move { … }`. One that
/// returns a `Result` is wrapped: `async move { let _ = handle(stream, peer).await; }`.
///
/// A pool derefs to the handle that this takes. The connections have that handle's [options](crate::JobOptions): a name is
/// shown with a stall. A deadline is an instant, and once it has passed every connection is refused.
///
/// # Errors
/// The listener comes back; see [`ServerBuilder::serve`].
#[track_caller]
pub fn serve<L, S, H, Fut>(
    pool: &Handle,
    listener: L,
    balance: Balance,
    handler: H,
) -> Result<Server<L::Addr>, ServeError<L>>
where
    L: Listener,
    S: Stream<Socket = L::Socket>,
    H: Fn(S, L::Addr) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = ()> + 'static,
{
    Server::builder().balance(balance).serve(pool, listener, handler)
}
