//! Moves a connection to another worker.

use super::{HandoffError, Stream, connection};
use crate::{Handle, JoinHandle, WorkerId};
use std::{future::Future, io};

/// Hands a connection on to another worker of the present pool, where `f` makes the future that goes on with it. What the
/// peer has sent and nobody has read stays in the socket, whole; what was read already, the closure can take along.
///
/// Called in a handler's own task with the stream that it was given, the connection stays its server's: it counts at the new worker from now
/// on, a shutdown waits for it and cuts it off there, and the receipt says how it ended there. With any other stream it is a job like
/// another; so it is in a task that the handler has spawned, whose server takes it for ended with the handler.
///
/// The handle resolves to what the future gives, or to an error of the system, if there the driver makes no stream of the
/// socket. Dropping the handle detaches.
///
/// ```
/// use millpond::net::{self, Balance};
/// use monoio::{io::{AsyncReadRentExt, AsyncWriteRentExt}, net::TcpStream};
/// use std::{io::{Read, Write}, net::{SocketAddr, TcpListener}};
///
/// /// The first byte says which worker the rest is for.
/// async fn direct(mut stream: TcpStream, _peer: SocketAddr) {
///     let (read, first) = stream.read_exact(vec![0; 1]).await;
///     if read.is_err() {
///         return;
///     }
///     let worker = millpond::Handle::current().workers()[usize::from(first[0])];
///     let moved = net::handoff(stream, worker, |mut stream: TcpStream| async move {
///         let (_read, line) = stream.read_exact(vec![0; 4]).await;
///         let answer = format!("{} on {}", String::from_utf8_lossy(&line), millpond::worker_id());
///         let _ = stream.write_all(answer.into_bytes()).await;
///     });
///     moved.expect("a worker of this pool");
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let server = net::serve(&pool, TcpListener::bind("127.0.0.1:0")?, Balance::LeastConnections, direct)?;
/// let mut client = std::net::TcpStream::connect(server.local_addr())?;
/// client.write_all(b"\x01ping")?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// assert_eq!(answer, "ping on worker 1");
/// # Ok(()) }
/// ```
///
/// # Errors
/// If the worker is another pool's, or the pool is shutting down: the handler may then serve it to its end. Stream and closure
/// come back. A shutdown that begins during the call closes the connection.
///
/// # Panics
/// Outside a pool. If an operation on the stream is in flight, also one that was dropped before its end and has not come back from the
/// kernel: it could take bytes that are then missing. To call an operation off, cancel it and await it (monoio's
/// `CancelableAsyncReadRent`). The panic closes the connection, as any in its handler does.
#[track_caller]
pub fn handoff<S, F, Fut, T>(
    stream: S,
    worker: WorkerId,
    f: F,
) -> Result<JoinHandle<io::Result<T>>, HandoffError<S, F>>
where
    S: Stream,
    F: FnOnce(S) -> Fut + Send + 'static,
    Fut: Future<Output = T> + 'static,
    T: Send + 'static,
{
    let pool = match Handle::try_current() {
        Ok(pool) => pool,
        Err(error) => panic!("millpond::net::handoff: {error}"),
    };
    let has_ended = !pool.shared().is_running();
    if has_ended || worker.pool != pool.shared().id {
        return Err(HandoffError { stream, closure: f, worker, has_ended });
    }
    let (driver, to) = (pool.shared().driver, worker.index());
    let socket = stream.into_std();
    let Some(mut connection) = connection::take_current(&socket, pool.shared()) else {
        let job = move || async move {
            let stream = S::from_std(socket, driver)?;
            // Ended by the user's future.
            Ok(f(stream).await)
        };
        return Ok(pool.send_to(pool.origin(), to, job));
    };
    connection.move_to(to);
    let state = connection.state().clone();
    let job = move |listed| async move {
        let _listed = listed;
        let stream = S::from_std(socket, driver)?;
        // Ended by the user's future.
        Ok(connection::conduct(connection, || f(stream)).await)
    };
    Ok(state.send(to, job))
}
