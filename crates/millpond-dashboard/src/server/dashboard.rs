//! The owner of a dashboard.

use super::{builder::Builder, connection::Site, error::DashboardError, limits::CLOSE_TIMEOUT};
use millpond::{Handle, net::Server};
use std::{
    fmt,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
};

/// A dashboard that serves.
///
/// Dropping it stops the server: it accepts nobody any more, and every connection is closed at its next await. The drop
/// waits for none of that; [`shutdown`](Self::shutdown) does.
///
/// Its connections are jobs of the pool, and stand in the pool's own figures: each reader is a task. A pool that shuts down
/// ends the streams of events at once, so it does not wait for readers; a dashboard does not keep its pool.
///
/// ```
/// use std::io::{Read, Write};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let dashboard = millpond_dashboard::serve(&pool, "127.0.0.1:0")?;
/// assert_eq!(dashboard.url(), format!("http://{}/", dashboard.local_addr()));
///
/// let mut client = std::net::TcpStream::connect(dashboard.local_addr())?;
/// client.write_all(b"GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
/// let mut answer = String::new();
/// client.read_to_string(&mut answer)?;
/// assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"));
/// dashboard.shutdown_blocking();
/// # Ok(()) }
/// ```
///
/// In a job, or on any executor:
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// # let dashboard = millpond_dashboard::serve(&pool, "127.0.0.1:0")?;
/// # pool.block_on(async {
/// println!("{} read it", dashboard.readers());
/// dashboard.shutdown().await;
/// # }); Ok(()) }
/// ```
#[must_use = "dropping a dashboard stops it"]
pub struct Dashboard {
    server: Server,
    site: Arc<Site>,
}

/// Serves a dashboard of a pool, on that pool, with the default settings. A pool derefs to the handle that this takes.
///
/// `addr` is one that only this machine reaches, `127.0.0.1:9900` say; for others see [`Builder::token`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let dashboard = millpond_dashboard::serve(&pool, "127.0.0.1:0")?; // with port 0 the system chooses one
/// println!("the pool is shown at {}", dashboard.url());
/// # Ok(()) }
/// ```
///
/// # Errors
/// See [`DashboardError`].
pub fn serve(pool: &Handle, addr: impl ToSocketAddrs) -> Result<Dashboard, DashboardError> {
    Dashboard::builder().serve(pool, addr)
}

impl Dashboard {
    /// Settings for a dashboard.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(server: Server, site: Arc<Site>) -> Dashboard {
        Dashboard { server, site }
    }

    /// Where it listens: with the port that the system chose, if it was told to choose.
    pub fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    /// The page's address, for a browser on this machine. It has the token in it, if there is one: mind where you print it.
    pub fn url(&self) -> String {
        let mut addr = self.local_addr();
        if addr.ip().is_unspecified() {
            // Whoever listens everywhere is reached by loopback too.
            addr.set_ip(match addr {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        let token = self.site.guard.token.as_ref().map(|token| format!("?token={}", token.as_str()));
        format!("http://{addr}/{}", token.unwrap_or_default())
    }

    /// How many read the events now: open pages, mostly.
    pub fn readers(&self) -> usize {
        self.site.readers.count()
    }

    /// Stops: accepts nobody any more, ends the streams of events at once, and gives answers that are under way another
    /// second. Waits until all connections have ended.
    ///
    /// # Cancel safety
    /// Dropped before its end, it drops the dashboard, which cuts off what is left.
    pub async fn shutdown(self) {
        // Ended by the last connection, which learns of the stop, or by the limit.
        let _receipt = self.server.shutdown_timeout(CLOSE_TIMEOUT).await;
    }

    /// As [`shutdown`](Self::shutdown), for a plain thread.
    ///
    /// # Panics
    /// On a worker of the pool, whose connections it would wait for. The dashboard is then dropped.
    pub fn shutdown_blocking(self) {
        // Ended as `shutdown` is.
        let _receipt = self.server.shutdown_timeout_blocking(CLOSE_TIMEOUT);
    }
}

impl fmt::Debug for Dashboard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard")
            .field("local_addr", &self.local_addr())
            .field("readers", &self.readers())
            .finish_non_exhaustive()
    }
}
