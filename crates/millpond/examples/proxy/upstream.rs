//! The server behind the proxy.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use monoio::net::{TcpStream, UnixStream};

use crate::address::Address;

/// How long an address may take to answer. The kernel itself would try for two minutes where packets are dropped, and the
/// client would rather know.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) enum Upstream {
    /// Never empty. Tried in this order.
    Tcp(Vec<SocketAddr>),
    Unix(PathBuf),
}

impl Upstream {
    /// Looks the name up, once, on the calling thread: that blocks.
    pub(crate) fn find(address: &Address) -> io::Result<Self> {
        let name = match address {
            Address::Unix(path) => return Ok(Upstream::Unix(path.clone())),
            Address::Tcp(name) => name,
        };
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{name}: {error}"));
        let addresses: Vec<SocketAddr> = name.to_socket_addrs().map_err(named)?.collect();
        if addresses.is_empty() {
            return Err(io::Error::other(format!("{name}: the name has no address")));
        }
        Ok(Upstream::Tcp(addresses))
    }
}

/// Connects to the first address that answers. The error is the last one's.
pub(crate) async fn connect_tcp(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    for &address in addresses {
        match limited(TcpStream::connect_addr(address)).await {
            Ok(stream) => {
                // What is small must not wait for more: the client's own side has its packets as they came.
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

pub(crate) async fn connect_unix(path: &Path) -> io::Result<UnixStream> {
    limited(UnixStream::connect(path)).await
}

async fn limited<S>(connect: impl Future<Output = io::Result<S>>) -> io::Result<S> {
    // Ended by the server's answer, or by the timer. A connect that is dropped is cancelled, and closes its socket.
    match millpond::time::timeout(CONNECT_LIMIT, connect).await {
        Ok(connected) => connected,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}
