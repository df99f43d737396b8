//! The command line.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use lexopt::prelude::*;

pub(crate) const HELP: &str = "\
Print or check BLAKE3 checksums, in the format of b3sum.

Usage: checksum [OPTIONS] [PATH]...

Files are read in the order of the arguments; a directory is walked, and its files come in the
order of their bytes. With no PATH, or with -, read standard input.

Options:
  -c, --check        read lists of checksums from the PATHs and check the files that they name
      --workers N    how many workers (default: the CPUs that this process may use)
      --dashboard ADDR
                     show the workers on a live page while the work lasts, at this address of
                     this machine's loopback: 127.0.0.1:9900 say; port 0 takes a free one
  -h, --help         print this and end

Exit status: 0, or 1 when a file could not be read or did not match, 2 for a wrong command line,
130 after Ctrl-C.
";

/// What the command line asks for.
#[derive(Debug, Default)]
pub(crate) struct Args {
    pub(crate) help: bool,
    /// The paths are lists to check, rather than files to hash.
    pub(crate) check: bool,
    /// `None` leaves the number to the pool.
    pub(crate) workers: Option<usize>,
    /// Where the pool is shown. `None`: nowhere.
    pub(crate) dashboard: Option<String>,
    /// Never empty: with no path given it is `-`, the standard input.
    pub(crate) paths: Vec<PathBuf>,
}

impl Args {
    pub(crate) fn from_env() -> Result<Self, lexopt::Error> {
        let mut args = Self::default();
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Short('h') | Long("help") => args.help = true,
                Short('c') | Long("check") => args.check = true,
                Long("workers") => args.workers = Some(parser.value()?.parse::<NonZeroUsize>()?.get()),
                Long("dashboard") => args.dashboard = Some(parser.value()?.string()?),
                Value(path) => args.paths.push(path.into()),
                other => return Err(other.unexpected()),
            }
        }
        if args.paths.is_empty() {
            args.paths.push("-".into());
        }
        Ok(args)
    }
}
