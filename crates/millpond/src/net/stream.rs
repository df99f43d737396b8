//! The seam to a driver's sockets: its stream, made of an accepted socket.

use crate::DriverKind;
use std::{
    future::Future,
    io,
    net::TcpStream,
    os::{
        fd::{AsFd, FromRawFd, IntoRawFd},
        unix::net::UnixStream,
    },
};

/// A driver's own stream, as handlers get it. All that the balancer knows of a driver is in here.
///
/// monoio's [`TcpStream`](monoio::net::TcpStream) and [`UnixStream`](monoio::net::UnixStream) are such. To have another
/// type in handlers, one that does more at once or belongs to another runtime, write it for that:
///
/// ```
/// use millpond::{DriverKind, net::Stream};
/// use std::{future::Future, io, net};
///
/// /// Says who it is, and counts what it has sent.
/// struct Counted {
///     stream: monoio::net::TcpStream,
///     sent: usize,
/// }
///
/// impl Stream for Counted {
///     type Socket = net::TcpStream;
///
///     fn works_on(driver: DriverKind) -> bool {
///         monoio::net::TcpStream::works_on(driver)
///     }
///
///     fn from_std(socket: net::TcpStream, driver: DriverKind) -> io::Result<Counted> {
///         Ok(Counted { stream: Stream::from_std(socket, driver)?, sent: 0 })
///     }
///
///     fn into_std(self) -> net::TcpStream {
///         Stream::into_std(self.stream)
///     }
///
///     fn readable(&self) -> impl Future<Output = io::Result<()>> {
///         Stream::readable(&self.stream)
///     }
/// }
/// ```
pub trait Stream: Sized + 'static {
    /// std's type of the same socket, which may go from one thread to another.
    type Socket: AsFd + Send + 'static;

    /// Whether a worker on this driver can serve it.
    fn works_on(driver: DriverKind) -> bool;

    /// Makes the stream, on the worker that is to serve it. The socket is in whatever mode it was left in, blocking or not.
    ///
    /// # Errors
    /// The system's. The connection is then closed, and counted as refused.
    fn from_std(socket: Self::Socket, driver: DriverKind) -> io::Result<Self>;

    /// Takes the socket out again, on the same worker, for another one.
    ///
    /// # Panics
    /// It may, if an operation on the stream is in flight: what that reads would be missing elsewhere.
    fn into_std(self) -> Self::Socket;

    /// Ready once a read would not block; asked of a listening socket too, where that means an `accept`. It may be ready
    /// for nothing, but not again and again.
    ///
    /// # Errors
    /// The system's.
    fn readable(&self) -> impl Future<Output = io::Result<()>>;
}

macro_rules! monoio_stream {
    ($stream:ty, $socket:ty) => {
        impl Stream for $stream {
            type Socket = $socket;

            fn works_on(driver: DriverKind) -> bool {
                driver != DriverKind::Park
            }

            fn from_std(socket: $socket, driver: DriverKind) -> io::Result<Self> {
                // epoll has to be told by an error that it must wait; io_uring would not wait at all.
                socket.set_nonblocking(driver == DriverKind::Epoll)?;
                <$stream>::from_std(socket)
            }

            fn into_std(self) -> $socket {
                let fd = self.into_raw_fd();
                // SAFETY: monoio gives the descriptor away, open, and keeps no other way to it: `into_raw_fd` panics where
                // an operation still holds one.
                unsafe { <$socket>::from_raw_fd(fd) }
            }

            async fn readable(&self) -> io::Result<()> {
                // Ended by the driver, when the socket is readable. Not `relaxed`: on epoll that would be ready for ever,
                // because what is taken here is not taken through monoio, and so not seen by it.
                <$stream>::readable(self, false).await
            }
        }
    };
}

monoio_stream!(monoio::net::TcpStream, TcpStream);
monoio_stream!(monoio::net::UnixStream, UnixStream);
