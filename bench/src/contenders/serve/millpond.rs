//! `millpond::net`, in its three ways of sharing out connections.

use std::fmt::Debug;
use std::io;
use std::marker::PhantomData;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use millpond::Pool;
use millpond::net::{self, Balance};
use monoio::net::TcpStream;

use super::monoio::handle;
use crate::workloads::serve::{Server, enter};

/// How connections are shared out.
pub(in crate::contenders) trait Sharing: Debug {
    const BALANCE: Balance;
}

#[derive(Debug)]
pub(in crate::contenders) struct LeastConnections;

#[derive(Debug)]
pub(in crate::contenders) struct RoundRobin;

#[derive(Debug)]
pub(in crate::contenders) struct ReusePort;

impl Sharing for LeastConnections {
    const BALANCE: Balance = Balance::LeastConnections;
}

impl Sharing for RoundRobin {
    const BALANCE: Balance = Balance::RoundRobin;
}

impl Sharing for ReusePort {
    const BALANCE: Balance = Balance::ReusePort;
}

/// The server is dropped before its pool.
#[derive(Debug)]
pub(in crate::contenders) struct Millpond<B> {
    _server: net::Server<SocketAddr>,
    _pool: Pool,
    sharing: PhantomData<B>,
}

impl<B: Sharing> Server for Millpond<B> {
    fn start(workers: usize) -> io::Result<(Self, SocketAddr)> {
        let builder = Pool::builder().worker_threads(workers);
        let pool = builder.on_worker_start(|_| {
            enter();
            Ok(())
        });
        let pool = pool.build().map_err(io::Error::other)?;
        let server = net::Server::builder().balance(B::BALANCE).nodelay(true).serve(
            &pool,
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
            |stream: TcpStream, _: SocketAddr| handle(stream),
        );
        let server = server.map_err(io::Error::other)?;
        let address = server.local_addr();
        Ok((Millpond { _server: server, _pool: pool, sharing: PhantomData }, address))
    }
}
