//! The command line.

use std::num::NonZeroUsize;
use std::time::Duration;

use lexopt::prelude::*;
use millpond::net::Balance;

use crate::address::Address;

pub(crate) const HELP: &str = "\
Pass the connections that come in at LISTEN on to UPSTREAM, and count what goes each way.

Usage: proxy [OPTIONS] LISTEN UPSTREAM

Either address is host:port or unix:/path.

Options:
      --workers N              how many workers (default: the CPUs that this process may use)
      --balance HOW            which worker gets a connection: the one with the least of them
                               (least, the default), the next in turn (round-robin), or the
                               one that the kernel picks by a hash (reuse-port)
      --max-connections N      how many at once; others wait to be accepted (default: as many
                               as the limit on open files allows)
      --idle-timeout SECONDS   end a connection once nothing has moved on it for so long
                               (default: never)
  -h, --help                   print this and end

SIGUSR1 prints the table of the workers. SIGTERM and Ctrl-C stop accepting, let open connections
go on for 10 seconds, and print it; a second one ends the program at once.

Exit status: 0 after a stop, 1 when it could not start, 2 for a wrong command line.
";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Args {
    /// `None` leaves the number to the pool.
    pub(crate) workers: Option<usize>,
    pub(crate) balance: Balance,
    /// `None` leaves it to the limit on open files.
    pub(crate) max_connections: Option<usize>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) listen: Address,
    pub(crate) upstream: Address,
}

impl Args {
    /// `None` if it is for help that the user asks.
    pub(crate) fn from_env() -> Result<Option<Self>, lexopt::Error> {
        let (mut workers, mut max_connections, mut idle_timeout) = (None, None, None);
        let mut balance = Balance::default();
        let mut addresses = Vec::new();
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Short('h') | Long("help") => return Ok(None),
                Long("workers") => workers = Some(parser.value()?.parse::<NonZeroUsize>()?.get()),
                Long("balance") => balance = parser.value()?.parse_with(balance_of)?,
                Long("max-connections") => {
                    max_connections = Some(parser.value()?.parse::<NonZeroUsize>()?.get());
                }
                Long("idle-timeout") => idle_timeout = Some(parser.value()?.parse_with(seconds)?),
                Value(address) if addresses.len() < 2 => addresses.push(address.parse::<Address>()?),
                other => return Err(other.unexpected()),
            }
        }
        let Ok([listen, upstream]) = <[Address; 2]>::try_from(addresses) else {
            return Err("it takes two addresses, LISTEN and UPSTREAM".into());
        };
        Ok(Some(Self { workers, balance, max_connections, idle_timeout, listen, upstream }))
    }
}

fn balance_of(word: &str) -> Result<Balance, &'static str> {
    match word {
        "least" => Ok(Balance::LeastConnections),
        "round-robin" => Ok(Balance::RoundRobin),
        "reuse-port" => Ok(Balance::ReusePort),
        _ => Err("--balance can be least, round-robin or reuse-port"),
    }
}

fn seconds(number: &str) -> Result<Duration, &'static str> {
    match number.parse().map(Duration::try_from_secs_f64) {
        Ok(Ok(time)) if !time.is_zero() => Ok(time),
        _ => Err("--idle-timeout is a number of seconds above 0"),
    }
}
