//! How many connections the limit on open files allows.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Its socket, and a file. Of HTTP/2 it may have more files open, while other connections have none.
const PER_CONNECTION: u64 = 2;

/// A worker's ring and eventfd, its listener with `--balance reuse-port`, and some to spare.
const PER_WORKER: u64 = 8;

/// Standard streams, the folder, the listener, signals, and some to spare.
const OTHER: u64 = 32;

/// Unless more are asked for. One that is kept and idle takes 22 KiB: 220 MB in all.
const DEFAULT_AT_MOST: u64 = 10_000;

/// How many connections there may be at once: `asked`, or as many as the limit on open files allows once it is raised as
/// far as this process may.
pub(crate) fn connections(asked: Option<u64>, workers: usize) -> Result<usize, String> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Refused at worst: the present limit then stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let allowed = limit.saturating_sub(OTHER + PER_WORKER * workers as u64) / PER_CONNECTION;
    let wanted = asked.unwrap_or(allowed.clamp(1, DEFAULT_AT_MOST));
    if wanted <= allowed {
        return usize::try_from(wanted).map_err(|error| error.to_string());
    }
    Err(format!(
        "--max-connections is {wanted}, and the limit of {limit} open files allows {allowed}; raise it with `ulimit -n`"
    ))
}
