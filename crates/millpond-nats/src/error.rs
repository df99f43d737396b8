//! What can go wrong before a job is there.

use std::{error::Error, fmt, sync::Arc};

/// There is no connection, and so no [`Client`](crate::Client).
#[derive(Debug)]
pub struct ConnectError {
    url: Arc<str>,
    source: Box<dyn Error + Send + Sync>,
}

impl ConnectError {
    pub(crate) fn new(url: &Arc<str>, source: impl Into<Box<dyn Error + Send + Sync>>) -> ConnectError {
        ConnectError { url: Arc::clone(url), source: source.into() }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The servers, without the passwords that addresses may hold.
        let servers =
            self.url.split(',').map(|server| server.rsplit_once('@').map_or(server, |(_, host)| host));
        let servers: Vec<&str> = servers.collect();
        write!(
            f,
            "no connection to NATS at {}: {}; is a server there? `ClientBuilder::wait_for_server` waits for one",
            servers.join(", "),
            self.source
        )
    }
}

impl Error for ConnectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}
