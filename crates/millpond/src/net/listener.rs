//! The listening sockets of std that connections are taken from.

use rustix::{
    fd::{AsFd, OwnedFd},
    net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt},
};
use std::{
    fmt, io,
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::net::{SocketAddr as UnixSocketAddr, UnixListener, UnixStream},
};

/// A listening socket of std: [`TcpListener`] or [`UnixListener`].
///
/// A balancer knows of no others, and of nothing else of a driver's than the [`Stream`](super::Stream) that it makes of an
/// accepted socket.
///
/// ```
/// use millpond::net::Listener;
///
/// /// Works for both.
/// fn announce<L: Listener>(listener: &L) -> std::io::Result<()>
/// where
///     L::Addr: std::fmt::Debug,
/// {
///     println!("listening on {:?}", Listener::local_addr(listener)?);
///     let (_connection, peer) = Listener::accept(listener)?; // a server does it, from here on
///     println!("{peer:?} has come");
///     Ok(())
/// }
/// ```
pub trait Listener: AsFd + Sealed + Send + Sized + 'static {
    /// An accepted connection.
    type Socket: AsFd + From<OwnedFd> + fmt::Debug + Send + 'static;
    /// Where a connection comes from, and where the listener is.
    type Addr: Clone + fmt::Debug + Send + Sync + 'static;

    /// Takes the next connection. On a listener that does not block,
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) says that there is none.
    ///
    /// # Errors
    /// The system's.
    fn accept(&self) -> io::Result<(Self::Socket, Self::Addr)>;

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    fn local_addr(&self) -> io::Result<Self::Addr>;
}

/// What only this crate asks of a listener.
pub trait Sealed {
    /// Whether the settings of TCP mean anything to it.
    const IS_TCP: bool;

    /// As many more listeners on the same address, among which the kernel shares out what comes in.
    fn share_port(&self, more: usize, backlog: i32) -> io::Result<Vec<Self>>
    where
        Self: Sized;
}

impl Listener for TcpListener {
    type Socket = TcpStream;
    type Addr = SocketAddr;

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        TcpListener::local_addr(self)
    }
}

impl Listener for UnixListener {
    type Socket = UnixStream;
    type Addr = UnixSocketAddr;

    fn accept(&self) -> io::Result<(UnixStream, UnixSocketAddr)> {
        UnixListener::accept(self)
    }

    fn local_addr(&self) -> io::Result<UnixSocketAddr> {
        UnixListener::local_addr(self)
    }
}

impl Sealed for TcpListener {
    const IS_TCP: bool = true;

    fn share_port(&self, more: usize, backlog: i32) -> io::Result<Vec<TcpListener>> {
        // Also after its bind: the kernel makes the group when the second socket comes (socket(7), SO_REUSEPORT).
        sockopt::set_socket_reuseport(self, true)?;
        let addr = TcpListener::local_addr(self)?;
        (0..more).map(|_| listen_beside(addr, self, backlog)).collect()
    }
}

impl Sealed for UnixListener {
    const IS_TCP: bool = false;

    fn share_port(&self, _more: usize, _backlog: i32) -> io::Result<Vec<UnixListener>> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "a Unix socket's address is for one listener"))
    }
}

/// A listener on the address of another, which shares its port, and has what a server's settings may leave as it is.
fn listen_beside(addr: SocketAddr, first: &TcpListener, backlog: i32) -> io::Result<TcpListener> {
    let family = if addr.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_reuseaddr(&socket, sockopt::socket_reuseaddr(first)?)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    if addr.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, sockopt::ipv6_v6only(first)?)?;
    }
    sockopt::set_tcp_nodelay(&socket, sockopt::tcp_nodelay(first)?)?;
    sockopt::set_socket_keepalive(&socket, sockopt::socket_keepalive(first)?)?;
    sockopt::set_tcp_keepidle(&socket, sockopt::tcp_keepidle(first)?)?;
    sockopt::set_tcp_keepintvl(&socket, sockopt::tcp_keepintvl(first)?)?;
    sockopt::set_tcp_keepcnt(&socket, sockopt::tcp_keepcnt(first)?)?;
    bind(&socket, &addr)?;
    listen(&socket, backlog)?;
    Ok(socket.into())
}
