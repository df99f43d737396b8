//! What the kernel lets this process have: file descriptors, locked memory, threads. Readers only, for the doctor's
//! checks and for the words of a `BuildError`.

use std::fmt;
use std::fs;
use std::path::Path;
use std::str::FromStr;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, getuid};
use rustix::thread::{CapabilitySet, capabilities};

pub(crate) mod cgroup;
mod io_uring;

pub(crate) use io_uring::{IoUringRefusal, probe_io_uring, ring_bytes, why_refused};

/// The submission queue of a worker's ring unless `ring_entries` says otherwise: monoio's own default.
pub(crate) const DEFAULT_RING_ENTRIES: u32 = 1024;

/// What each worker keeps open: its ring or epoll, the driver's own eventfd, and twice the eventfd of the pool's wakes.
pub(crate) const FDS_PER_WORKER: u64 = 4;

/// `RLIMIT_NOFILE`: how many file descriptors this process may have open.
pub(crate) fn fd_limit() -> Rlimit {
    getrlimit(Resource::Nofile)
}

/// How many file descriptors this process has open. `None` without `/proc`.
pub(crate) fn fds_open() -> Option<u64> {
    match fs::read_dir("/proc/self/fd") {
        // The listing counts the descriptor it is read through.
        Ok(listing) => Some((listing.count() as u64).saturating_sub(1)),
        // The listing itself needs a descriptor, and there is none left.
        Err(error) if Errno::from_io_error(&error) == Some(Errno::MFILE) => fd_limit().current,
        Err(_) => None,
    }
}

/// `RLIMIT_MEMLOCK`, in bytes. Rings count against it before [`Kernel::CHARGES_RINGS_TO_CGROUP`].
pub(crate) fn memlock() -> Rlimit {
    getrlimit(Resource::Memlock)
}

/// How many threads this process may have, and which setting says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreadLimit {
    /// The lowest of all limits in force; `u64::MAX` where there is none.
    pub(crate) count: u64,
    /// The setting to raise.
    pub(crate) set_by: ThreadSetting,
}

/// The settings that limit threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ThreadSetting {
    /// `RLIMIT_NPROC`, shared by all processes of the user.
    UserProcesses,
    /// `kernel.threads-max`, shared by the whole machine.
    KernelThreads,
    /// `kernel.pid_max`: each thread takes a number below it.
    KernelPids,
    /// `pids.max` of a cgroup, shared by all processes in it.
    CgroupPids,
}

impl ThreadSetting {
    /// Its name alone.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ThreadSetting::UserProcesses => "RLIMIT_NPROC",
            ThreadSetting::KernelThreads => "the sysctl kernel.threads-max",
            ThreadSetting::KernelPids => "the sysctl kernel.pid_max",
            ThreadSetting::CgroupPids => "the cgroup's pids.max",
        }
    }
}

/// Its name, and where people set it.
impl fmt::Display for ThreadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set_with = match self {
            ThreadSetting::UserProcesses => " (`ulimit -u`, systemd `LimitNPROC=`)",
            ThreadSetting::CgroupPids => " (docker `--pids-limit`, systemd `TasksMax=`)",
            ThreadSetting::KernelThreads | ThreadSetting::KernelPids => "",
        };
        write!(f, "{}{set_with}", self.name())
    }
}

/// The threads this process may have. What others hold of a shared limit is not subtracted, so fewer may be left.
pub(crate) fn threads_allowed() -> ThreadLimit {
    let limits = [
        (user_processes(), ThreadSetting::UserProcesses),
        (read("/proc/sys/kernel/threads-max"), ThreadSetting::KernelThreads),
        (read("/proc/sys/kernel/pid_max"), ThreadSetting::KernelPids),
        (cgroup::pids_max(Path::new("/")), ThreadSetting::CgroupPids),
    ];
    limits
        .into_iter()
        .map(|(count, set_by)| ThreadLimit { count: count.unwrap_or(u64::MAX), set_by })
        .min_by_key(|limit| limit.count)
        .expect("the list is not empty")
}

/// `RLIMIT_NPROC`, where the kernel holds this process to it: not for the machine's root nor with one of two
/// capabilities. In a user namespace both only look the same, and the limit holds.
fn user_processes() -> Option<u64> {
    let capable = capable_of(CapabilitySet::SYS_RESOURCE) || capable_of(CapabilitySet::SYS_ADMIN);
    let exempt = capable || (first_user_namespace() && getuid().is_root());
    if exempt { None } else { getrlimit(Resource::Nproc).current }
}

/// Whether this process has `capability` over the machine, and not only inside a user namespace.
pub(crate) fn capable_of(capability: CapabilitySet) -> bool {
    first_user_namespace() && capabilities(None).is_ok_and(|sets| sets.effective.contains(capability))
}

/// Whether user ids here are the machine's own: the map of the first namespace is the identity over all ids.
fn first_user_namespace() -> bool {
    fs::read_to_string("/proc/self/uid_map")
        .is_ok_and(|map| map.split_whitespace().eq(["0", "0", "4294967295"]))
}

/// The running kernel's release.
#[derive(Clone, Debug)]
pub(crate) struct Kernel {
    /// As `uname -r` prints it.
    pub(crate) release: String,
    /// Its first two numbers; (0, 0) if it does not start with two.
    pub(crate) version: (u32, u32),
}

impl Kernel {
    /// The first release with every io_uring operation that monoio uses.
    pub(crate) const HAS_IO_URING: (u32, u32) = (5, 7);
    /// From this release on rings count as the cgroup's memory and no longer against `RLIMIT_MEMLOCK`.
    pub(crate) const CHARGES_RINGS_TO_CGROUP: (u32, u32) = (5, 12);

    /// The kernel underneath.
    pub(crate) fn running() -> Kernel {
        Kernel::parse(&rustix::system::uname().release().to_string_lossy())
    }

    /// Takes the two numbers out of a release such as `6.1.0-13-amd64`.
    pub(crate) fn parse(release: &str) -> Kernel {
        let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|word| word.parse().ok());
        let version = numbers.next().zip(numbers.next()).unwrap_or_default();
        Kernel { release: release.to_owned(), version }
    }
}

/// A limit in words.
pub(crate) fn number(limit: Option<u64>) -> String {
    limit.map_or_else(|| "unlimited".into(), |limit| limit.to_string())
}

/// A limit in bytes in words, in the largest unit that divides it.
pub(crate) fn bytes(limit: Option<u64>) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let Some(limit) = limit else { return number(None) };
    match UNITS.iter().find(|(size, _)| limit > 0 && limit % size == 0) {
        Some((size, unit)) => format!("{} {unit}", limit / size),
        None => format!("{limit} bytes"),
    }
}

/// A file that holds one number, or nothing.
fn read<T: FromStr>(path: impl AsRef<Path>) -> Option<T> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn kernel_releases_are_read_by_their_first_two_numbers() {
        let version = |release| Kernel::parse(release).version;
        assert_eq!(version("6.1.0-13-amd64"), (6, 1));
        assert_eq!(version("5.15.153.1-microsoft-standard-WSL2"), (5, 15));
        assert_eq!(version("7.0-rc1"), (7, 0));
        assert_eq!(version("4.18.0-553.el8_10.x86_64"), (4, 18));
        assert_eq!(version("unknown"), (0, 0));
        assert!(Kernel::running().version > (2, 6));
    }

    #[test]
    fn limits_read_well() {
        assert_eq!(number(None), "unlimited");
        assert_eq!(bytes(None), "unlimited");
        let words =
            [(0, "0 bytes"), (1000, "1000 bytes"), (65536, "64 KiB"), (8 << 20, "8 MiB"), (3 << 30, "3 GiB")];
        for (limit, text) in words {
            assert_eq!(bytes(Some(limit)), text);
        }
    }

    #[test]
    fn open_descriptors_are_counted_one_by_one() {
        // Other tests of this process open files meanwhile: many more than they do must show.
        const FILES: u64 = 100;
        let before = fds_open().unwrap();
        let files: Vec<File> = (0..FILES).map(|_| File::open("/dev/null").unwrap()).collect();
        let with_files = fds_open().unwrap();
        drop(files);
        assert!(with_files >= before + FILES / 2, "{before} before, {with_files} with {FILES} more");
    }

    #[test]
    fn this_process_may_have_the_threads_it_has() {
        let running = fs::read_dir("/proc/self/task").unwrap().count() as u64;
        assert!(threads_allowed().count >= running);
    }
}
