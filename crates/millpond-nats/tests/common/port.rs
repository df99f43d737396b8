//! A port of the loopback for a server that comes and goes.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};

/// Nobody is given it by chance while this lives, whether the server is up or down: the kernel hands out no port that a
/// socket is bound to, to those who listen on any and to those who connect from any. The server gets it all the same, as it
/// asks for it by its number, and both sockets have `SO_REUSEADDR`, and this one never listens.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Keeps the port ours.
    _bound: OwnedFd,
}

impl Port {
    pub fn hold() -> Port {
        let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None);
        let socket = socket.expect("a socket");
        sockopt::set_socket_reuseaddr(&socket, true).expect("a socket that is not bound yet");
        net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let bound = net::getsockname(&socket).expect("a bound socket");
        let address = SocketAddr::try_from(bound).expect("an address of IPv4");
        Port { number: address.port(), _bound: socket }
    }

    pub fn number(&self) -> u16 {
        self.number
    }
}
