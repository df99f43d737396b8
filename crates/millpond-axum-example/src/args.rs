//! The command line.

use std::num::NonZeroU64;
use std::path::PathBuf;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Serve the files of a folder by HTTP/1.1, and take new ones: axum has the connections, and a millpond
pool the files.

Usage: millpond-axum-example [OPTIONS] DIR

Options:
      --addr ADDR          where to listen (default: 127.0.0.1:8080; port 0 takes a free one)
      --workers N          how many workers (default: the CPUs that this process may use)
      --max-transfers N    how many downloads and uploads at once (default: 1000); beyond that, 503
      --max-bytes N        how large an upload may be (default: 1073741824); beyond that, 413
  -h, --help               print this and end

GET /files lists them, GET /files/NAME sends one, PUT /files/NAME writes one, whole or not at all.

SIGTERM and Ctrl-C end it in order: transfers that are under way go on, for up to 9 s.

Exit status: 0, or 1 when it could not start or serve, 2 for a wrong command line.
";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) help: bool,
    pub(crate) addr: String,
    /// `None` leaves the number to the pool.
    pub(crate) workers: Option<usize>,
    pub(crate) max_transfers: u32,
    pub(crate) max_bytes: u64,
    pub(crate) folder: PathBuf,
}

impl Args {
    pub(crate) fn from_env() -> Result<Self, lexopt::Error> {
        let mut args = Self {
            help: false,
            addr: "127.0.0.1:8080".to_owned(),
            workers: None,
            max_transfers: 1000,
            max_bytes: 1 << 30,
            folder: PathBuf::new(),
        };
        let mut folder = None;
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Short('h') | Long("help") => return Ok(Self { help: true, ..args }),
                Long("addr") => args.addr = parser.value()?.string()?,
                // 0 is the pool's to refuse, which says what to do.
                Long("workers") => args.workers = Some(parser.value()?.parse()?),
                Long("max-transfers") => args.max_transfers = parser.value()?.parse()?,
                Long("max-bytes") => args.max_bytes = parser.value()?.parse::<NonZeroU64>()?.get(),
                Value(path) if folder.is_none() => folder = Some(PathBuf::from(path)),
                other => return Err(other.unexpected()),
            }
        }
        args.folder = folder.ok_or("the folder to serve is missing")?;
        Ok(args)
    }
}
