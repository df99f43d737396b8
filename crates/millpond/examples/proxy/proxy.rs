//! What all workers share, and what they do with a connection.

use std::io;
use std::time::Duration;

use crate::args::Args;
use crate::idle::Idle;
use crate::refusals::Refusals;
use crate::relay::relay;
use crate::side::{Side, Socket};
use crate::tally::{Entry, Tally};
use crate::upstream::{self, Upstream};

#[derive(Debug)]
pub(crate) struct Proxy {
    upstream: Upstream,
    idle_timeout: Option<Duration>,
    tally: Tally,
    refusals: Refusals,
}

impl Proxy {
    pub(crate) fn new(args: &Args, workers: usize) -> io::Result<Self> {
        Ok(Self {
            upstream: Upstream::find(&args.upstream)?,
            idle_timeout: args.idle_timeout,
            tally: Tally::new(workers),
            refusals: Refusals::new(&args.upstream),
        })
    }

    /// Serves one connection to its end, on the worker that got it.
    pub(crate) async fn serve(&self, client: impl Socket) {
        let entry = self.tally.enter(millpond::worker_id());
        let error = match &self.upstream {
            Upstream::Tcp(addresses) => match upstream::connect_tcp(addresses).await {
                Ok(upstream) => return self.relay(client, upstream, entry).await,
                Err(error) => error,
            },
            Upstream::Unix(path) => match upstream::connect_unix(path).await {
                Ok(upstream) => return self.relay(client, upstream, entry).await,
                Err(error) => error,
            },
        };
        entry.no_upstream();
        self.refusals.tell(&error);
    }

    async fn relay(&self, client: impl Socket, upstream: impl Socket, entry: Entry<'_>) {
        let (client, upstream) = (Side::new(client), Side::new(upstream));
        // Ended by both sides, by an error of either, or by the idle timeout.
        if relay(client, upstream, &Idle::new(self.idle_timeout), entry.count()).await.is_ok() {
            entry.ended();
        }
    }

    pub(crate) fn table(&self) -> String {
        self.tally.to_string()
    }
}
