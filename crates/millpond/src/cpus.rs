//! The CPUs this process may use: the affinity mask, the cgroup's quota, and how many workers follow from both.

use std::io;
use std::path::Path;
use std::thread;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::limits::cgroup;

/// The CPUs in the calling thread's affinity mask, in ascending order.
///
/// An error on a machine with more than [`CpuSet::MAX_CPU`] possible CPUs: the kernel refuses to write its mask into
/// so small a set.
pub(crate) fn allowed() -> io::Result<Vec<usize>> {
    let mask = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|&cpu| mask.is_set(cpu)).collect())
}

/// Binds the calling thread to `cpus`. They must be of the mask read by [`allowed`]: the kernel does not mind a CPU
/// outside it, and a thread would escape what `taskset` gave its process.
pub(crate) fn pin_current_thread(cpus: &[usize]) -> io::Result<()> {
    let mut mask = CpuSet::new();
    for &cpu in cpus {
        // Setting a bit beyond the set would panic.
        if cpu >= CpuSet::MAX_CPU {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        mask.set(cpu);
    }
    Ok(sched_setaffinity(None, &mask)?)
}

/// How many CPUs' worth of time the cgroup grants, where it sets a quota: for the doctor's words.
pub(crate) fn quota() -> Option<f64> {
    cgroup::cpu_quota(Path::new("/"))
}

/// The workers of a pool that was not told how many: the CPUs of the mask, or the quota rounded down where it is
/// less, and at least one.
///
/// The standard library counts just that (mask, cgroup v1 and v2, nested groups), so there is no second count here
/// that could disagree with it.
pub(crate) fn default_worker_threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Ascending CPU numbers as the kernel writes them: `0-3,8`.
pub(crate) fn ranges(cpus: &[usize]) -> String {
    let runs = cpus.chunk_by(|left, right| left + 1 == *right);
    let words = runs.filter_map(|run| match (run.first()?, run.last()?) {
        (first, last) if first == last => Some(first.to_string()),
        (first, last) => Some(format!("{first}-{last}")),
    });
    words.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_join_neighbours_only() {
        assert_eq!(ranges(&[]), "");
        assert_eq!(ranges(&[5]), "5");
        assert_eq!(ranges(&[0, 1]), "0-1");
        assert_eq!(ranges(&[0, 1, 2, 3, 8, 10, 11]), "0-3,8,10-11");
    }

    #[test]
    fn a_pinned_thread_is_allowed_its_cpu_only() {
        let all = allowed().unwrap();
        let last = *all.last().unwrap();
        let pinned = thread::spawn(move || {
            pin_current_thread(&[last]).unwrap();
            (allowed().unwrap(), default_worker_threads())
        });
        assert_eq!(pinned.join().unwrap(), (vec![last], 1));
        assert_eq!(allowed().unwrap(), all, "only the calling thread is bound");
    }

    #[test]
    fn a_cpu_beyond_every_machine_is_an_error() {
        let error = pin_current_thread(&[CpuSet::MAX_CPU]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    #[test]
    fn the_default_agrees_with_the_quota_the_doctor_tells() {
        let cpus = allowed().unwrap().len();
        let granted = quota().map_or(cpus, |quota| (quota as usize).clamp(1, cpus));
        assert_eq!(default_worker_threads(), granted);
    }
}
