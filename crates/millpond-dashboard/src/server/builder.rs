//! The settings of a dashboard.

use super::{
    connection::{self, Site},
    dashboard::Dashboard,
    error::{BadToken, DashboardError},
    feed::Feed,
    guard::{self, Guard, Token},
    limits::{HEAD_TIMEOUT, READERS_DEFAULT, SEND_BUFFER_BYTES, SHORT_CONNECTIONS, WRITE_TIMEOUT},
    readers::Readers,
};
use millpond::{Handle, JobOptions, net::Server};
use monoio::net::TcpStream;
use rustix::{
    net::sockopt::set_socket_send_buffer_size,
    process::{Resource, getrlimit},
};
use std::{
    net::{SocketAddr, TcpListener, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

/// What the dashboard's connections are called in the pool they show.
const JOB_NAME: &str = "dashboard";

/// Settings of a [`Dashboard`]. Dropping it does nothing.
///
/// ```
/// use millpond_dashboard::Dashboard;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let dashboard = Dashboard::builder()
///     .name("thumbnails")
///     .token("J9s1Ojp4uVb2YqT7") // from your secrets, in earnest
///     .max_readers(20)
///     .serve(&pool, "0.0.0.0:0")?;
/// println!("{}", dashboard.url());
/// # Ok(()) }
/// ```
///
/// For slow networks and slow readers, how long each may take:
///
/// ```
/// use std::time::Duration;
///
/// let builder = millpond_dashboard::Dashboard::builder()
///     .head_timeout(Duration::from_secs(30))
///     .write_timeout(Duration::from_secs(120));
/// # drop(builder);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `serve`"]
pub struct Builder {
    name: Option<String>,
    token: Option<Result<Token, BadToken>>,
    max_readers: usize,
    head_timeout: Duration,
    write_timeout: Duration,
}

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder {
            name: None,
            token: None,
            max_readers: default_readers(),
            head_timeout: HEAD_TIMEOUT,
            write_timeout: WRITE_TIMEOUT,
        }
    }

    /// What the pool is called: on the page, in the JSON, and as the label `pool` in the metrics. By default it has no name.
    pub fn name(mut self, name: impl Into<String>) -> Builder {
        self.name = Some(name.into());
        self
    }

    /// Who has this token may read, and nobody else: as `Authorization: Bearer …`, or as `?token=…` in the address. Whoever
    /// can be reached from other machines must have one. By default there is none.
    ///
    /// It has 16 characters or more, of `A`–`Z`, `a`–`z`, `0`–`9` and `-._~`. Anybody on the way can read it, as there is no
    /// TLS here: for more than a trusted network put a proxy in front that has.
    pub fn token(mut self, token: impl Into<String>) -> Builder {
        self.token = Some(Token::new(token.into()));
        self
    }

    /// How many may read the events at the same time, pages included; the next one is answered with 503. Each holds a
    /// descriptor. By default 1,024, or a quarter of the descriptors that the process may have, if that is less.
    ///
    /// For short requests there are 64 connections more. Those beyond wait until one has ended.
    pub fn max_readers(mut self, readers: usize) -> Builder {
        self.max_readers = readers;
        self
    }

    /// How long a request's head may take to come, before it is answered with 408. By default 10 seconds.
    pub fn head_timeout(mut self, limit: Duration) -> Builder {
        self.head_timeout = limit;
        self
    }

    /// How long a client may take nothing of what is sent to it, before it is cut off. By default 30 seconds.
    pub fn write_timeout(mut self, limit: Duration) -> Builder {
        self.write_timeout = limit;
        self
    }

    /// Starts it, on the pool. `addr` is an address, or a name and a port; with port 0 the system chooses one, and
    /// [`Dashboard::local_addr`] says which.
    ///
    /// # Errors
    /// See [`DashboardError`].
    pub fn serve(self, pool: &Handle, addr: impl ToSocketAddrs) -> Result<Dashboard, DashboardError> {
        self.check()?;
        let token = self.token.transpose().map_err(|reason| DashboardError::BadToken { reason })?;
        let listener = listen(addr, token.is_some())?;
        let pool = pool.with_options(JobOptions::new().name(JOB_NAME));
        let server = Server::builder()
            .max_connections(self.max_readers.saturating_add(SHORT_CONNECTIONS))
            // Each event is one write; the kernel has nothing to wait for.
            .nodelay(true);
        let site = Arc::new(Site {
            feed: Feed::new(pool.clone(), self.name),
            guard: Guard { token },
            readers: Readers::new(self.max_readers),
            head_timeout: self.head_timeout,
            write_timeout: self.write_timeout,
            stopping: server.stopping(),
        });
        let handler = {
            let site = Arc::clone(&site);
            move |stream: TcpStream, _: SocketAddr| connection::serve(stream, Arc::clone(&site))
        };
        let server =
            server.serve(&pool, listener, handler).map_err(|source| DashboardError::Serve { source })?;
        Ok(Dashboard::new(server, site))
    }

    fn check(&self) -> Result<(), DashboardError> {
        let zero = |setting| Err(DashboardError::Zero { setting });
        if self.max_readers == 0 {
            return zero("max_readers");
        }
        if self.head_timeout.is_zero() {
            return zero("head_timeout");
        }
        if self.write_timeout.is_zero() { zero("write_timeout") } else { Ok(()) }
    }
}

fn listen(addr: impl ToSocketAddrs, has_token: bool) -> Result<TcpListener, DashboardError> {
    let refused = |source| DashboardError::Listen { source };
    let addrs: Vec<SocketAddr> = addr.to_socket_addrs().map_err(refused)?.collect();
    if let Some(&addr) = addrs.iter().find(|addr| !has_token && !guard::is_local(addr.ip())) {
        return Err(DashboardError::NeedsToken { addr });
    }
    let listener = TcpListener::bind(&addrs[..]).map_err(refused)?;
    // Each accepted socket has it of its listener. Refused, readers get what the kernel has for them: that is no reason to
    // have no dashboard.
    let _ = set_socket_send_buffer_size(&listener, SEND_BUFFER_BYTES);
    Ok(listener)
}

fn default_readers() -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    READERS_DEFAULT.min(usize::try_from(descriptors / 4).unwrap_or(usize::MAX)).max(1)
}
