//! How many files may be open at once.

use std::thread::available_parallelism;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::buffers;

/// What is open beside the files being read: standard streams, rings, eventfds, the directories of a walk.
const OTHER_DESCRIPTORS: u64 = 32;

/// The files a worker reads at once, one a job: as many as it has small buffers, or what the limit on open
/// files allows once it is raised as far as this process may.
pub(crate) fn files_in_flight(workers: Option<usize>) -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Refused at worst: the present limit then stays.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
    let Some(limit) = getrlimit(Resource::Nofile).current else { return buffers::SMALL_COUNT };
    let workers = workers.or_else(|| available_parallelism().ok().map(usize::from)).unwrap_or(1);
    let share = limit.saturating_sub(OTHER_DESCRIPTORS) / workers as u64;
    share.clamp(1, buffers::SMALL_COUNT as u64) as usize
}
