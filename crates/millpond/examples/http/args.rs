//! The command line.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;
use millpond::net::Balance;

use crate::limits::Limits;

pub(crate) const HELP: &str = "\
Serve the files of a folder by HTTP/1.1, and by HTTP/2 without TLS to clients that begin with it.

Usage: http [OPTIONS] DIR

Options:
      --addr ADDR           where to listen (default: 127.0.0.1:8080; port 0 takes a free one)
      --workers N           how many workers (default: the CPUs that this process may use)
      --balance HOW         which worker gets a connection: least (default), round-robin, reuse-port
      --max-connections N   how many connections at once (default: what the limit on open files
                            allows, and 10000 at most); the next ones wait
      --header-timeout S    seconds in which the head of a request has to be there (default: 10)
      --idle-timeout S      seconds for which a connection is kept without a request (default: 60)
      --stall-timeout S     seconds in which a client has to take some of its answer (default: 30)
      --dashboard ADDR      show the workers on a live page at this address of this machine's
                            loopback: 127.0.0.1:9900 say; port 0 takes a free one
  -h, --help                print this and end

SIGTERM and Ctrl-C end it in order: answers that are under way are sent, for up to 10 s. The second
one ends it at once.

Exit status: 0, or 1 when it could not start, 2 for a wrong command line, 128 and the number of the
second signal.
";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) help: bool,
    pub(crate) addr: String,
    /// `None` leaves the number to the pool.
    pub(crate) workers: Option<usize>,
    pub(crate) balance: Balance,
    /// `None` leaves it to the limit on open files.
    pub(crate) max_connections: Option<u64>,
    pub(crate) limits: Limits,
    /// Where the pool is shown. `None`: nowhere.
    pub(crate) dashboard: Option<String>,
    pub(crate) folder: PathBuf,
}

impl Args {
    pub(crate) fn from_env() -> Result<Self, lexopt::Error> {
        let mut args = Self {
            help: false,
            addr: "127.0.0.1:8080".to_owned(),
            workers: None,
            balance: Balance::LeastConnections,
            max_connections: None,
            limits: Limits::default(),
            dashboard: None,
            folder: PathBuf::new(),
        };
        let mut folder = None;
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Short('h') | Long("help") => args.help = true,
                Long("addr") => args.addr = parser.value()?.string()?,
                Long("workers") => args.workers = Some(parser.value()?.parse::<NonZeroUsize>()?.get()),
                Long("balance") => args.balance = parser.value()?.parse_with(balance)?,
                Long("max-connections") => {
                    args.max_connections = Some(parser.value()?.parse::<NonZeroU64>()?.get());
                }
                Long("header-timeout") => args.limits.header = parser.value()?.parse_with(seconds)?,
                Long("idle-timeout") => args.limits.idle = parser.value()?.parse_with(seconds)?,
                Long("stall-timeout") => args.limits.stall = parser.value()?.parse_with(seconds)?,
                Long("dashboard") => args.dashboard = Some(parser.value()?.string()?),
                Value(path) if folder.is_none() => folder = Some(path.into()),
                other => return Err(other.unexpected()),
            }
        }
        match folder {
            Some(folder) => args.folder = folder,
            None if args.help => {}
            None => return Err("no DIR is given".into()),
        }
        Ok(args)
    }
}

fn balance(word: &str) -> Result<Balance, &'static str> {
    match word {
        "least" => Ok(Balance::LeastConnections),
        "round-robin" => Ok(Balance::RoundRobin),
        "reuse-port" => Ok(Balance::ReusePort),
        _ => Err("it can be least, round-robin or reuse-port"),
    }
}

fn seconds(word: &str) -> Result<Duration, &'static str> {
    let seconds = word.parse().ok().filter(|&seconds: &u32| seconds > 0);
    seconds.map(|seconds| Duration::from_secs(seconds.into())).ok_or("it must be whole seconds, at least 1")
}
