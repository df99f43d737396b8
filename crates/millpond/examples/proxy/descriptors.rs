//! How many connections the limit on open files allows.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// One to the client, one to the upstream.
const PER_CONNECTION: u64 = 2;

/// A worker's ring and eventfd, its listener with `--balance reuse-port`, and some to spare.
const PER_WORKER: u64 = 8;

/// Standard streams, the listener, signals, and some to spare.
const OTHER: u64 = 32;

/// How many connections there may be at once: `asked`, or as many as the limit on open files allows once it is raised as
/// far as this process may.
pub(crate) fn connections(asked: Option<usize>, workers: usize) -> Result<usize, String> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Refused at worst: the present limit then stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let Some(limit) = getrlimit(Resource::Nofile).current else { return Ok(asked.unwrap_or(usize::MAX)) };
    let free = limit.saturating_sub(OTHER + PER_WORKER * workers as u64);
    let allowed = usize::try_from(free / PER_CONNECTION).unwrap_or(usize::MAX);
    match asked {
        None if allowed > 0 => Ok(allowed),
        Some(asked) if asked <= allowed => Ok(asked),
        _ => Err(format!(
            "--max-connections is {}, and the limit of {limit} open files allows {allowed}; raise it with `ulimit -n`",
            asked.unwrap_or(1)
        )),
    }
}
