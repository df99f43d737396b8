//! Whether the kernel gives this process a ring, and if not, why. Asked by making one: release numbers and settings
//! lie in containers, `io_uring_setup` does not.

use std::fmt;
use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::io_uring::{IoringFeatureFlags, io_uring_params, io_uring_setup};
use rustix::process::Rlimit;
use rustix::thread::CapabilitySet;

use crate::driver::ring;

use super::{bytes, capable_of, fd_limit, memlock, number, read};

/// Where the kernel keeps its own switch, from Linux 6.6 on.
const SWITCH: &str = "/proc/sys/kernel/io_uring_disabled";
/// What `/proc/self/status` shows for `Seccomp` when a filter sits before the system calls.
const SECCOMP_MODE_FILTER: u8 = 2;
/// `IORING_MAX_ENTRIES`, the same on every kernel so far.
const MAX_ENTRIES: u32 = 32_768;

/// Why there is no ring for this process. `Display` tells the cause and the way out.
#[derive(Debug)]
pub(crate) enum IoUringRefusal {
    /// The call is not there (ENOSYS): an old kernel, one built without it, or a sandbox that plays one.
    NotInKernel,
    /// There is a ring, without the operations that a worker's driver needs.
    TooOld,
    /// The sysctl `kernel.io_uring_disabled` stands at this value.
    DisabledBySysctl(u8),
    /// A seccomp filter, as container runtimes install by default, answers in the kernel's place.
    BlockedBySeccomp,
    /// No memory for the ring, or none left of the limit on locked memory.
    Memlock(Rlimit),
    /// No file descriptor left for the ring, or for whatever else was asked for one.
    FdLimit(Rlimit),
    /// The kernel does not make rings with so many entries.
    Entries(u32),
    /// Anything else, in the kernel's words.
    Other(io::Error),
}

/// Makes a ring with room for `entries` submissions, and gives it straight back.
pub(crate) fn probe_io_uring(entries: u32) -> Result<(), IoUringRefusal> {
    // Another pool that starts meanwhile must not take this ring for one that is not ours, nor its number for taken.
    ring::alone(|| probe(entries))
}

fn probe(entries: u32) -> Result<(), IoUringRefusal> {
    let mut params = io_uring_params::default();
    // SAFETY: asked of the caller only if `ATTACH_WQ` is set; the parameters are all zero. The ring that comes back
    // is owned, never mapped and never entered: dropping it closes it.
    let ring = unsafe { io_uring_setup(entries, &mut params) };
    match ring {
        Err(errno) => Err(why_refused(errno.into(), entries)),
        // This feature came in the same release, 5.7, as the last of the operations that monoio uses.
        Ok(_) if !params.features.contains(IoringFeatureFlags::FAST_POLL) => Err(IoUringRefusal::TooOld),
        Ok(_) => Ok(()),
    }
}

/// The memory that one ring takes: what it counts against `RLIMIT_MEMLOCK` where that still matters.
pub(crate) fn ring_bytes(entries: u32) -> u64 {
    const SUBMISSION_BYTES: u64 = 64;
    const COMPLETION_BYTES: u64 = 16;
    const INDEX_BYTES: u64 = 4;
    const HEADER_BYTES: u64 = 320;
    const PAGE_BYTES: u64 = 4096;
    // The kernel rounds the entries up to a power of two, makes twice as many completions, and allots both areas in
    // powers of two of pages.
    let submissions = u64::from(entries).next_power_of_two();
    let queues = HEADER_BYTES + 2 * submissions * COMPLETION_BYTES + submissions * INDEX_BYTES;
    [submissions * SUBMISSION_BYTES, queues].map(|area| area.max(PAGE_BYTES).next_power_of_two()).iter().sum()
}

/// The cause behind the error with which a ring of `entries` entries could not be made.
pub(crate) fn why_refused(error: io::Error, entries: u32) -> IoUringRefusal {
    let errno = Errno::from_io_error(&error);
    match errno {
        Some(Errno::PERM | Errno::ACCESS | Errno::NOSYS) => Surroundings::read().why(error),
        Some(Errno::NOMEM) => IoUringRefusal::Memlock(memlock()),
        Some(Errno::MFILE) => IoUringRefusal::FdLimit(fd_limit()),
        Some(Errno::INVAL) => IoUringRefusal::Entries(entries),
        _ => IoUringRefusal::Other(error),
    }
}

/// What decides between the causes of one and the same error.
#[derive(Clone, Copy, Debug)]
struct Surroundings {
    /// The value of [`SWITCH`]; `None` where the kernel has no such switch.
    switch: Option<u8>,
    /// Whether a seccomp filter is in force.
    filtered: bool,
    /// Whether this process may make rings even if the switch stands at 1.
    privileged: bool,
}

impl Surroundings {
    fn read() -> Surroundings {
        Surroundings {
            switch: read(SWITCH),
            filtered: seccomp_mode() == Some(SECCOMP_MODE_FILTER),
            privileged: capable_of(CapabilitySet::SYS_ADMIN),
        }
    }

    /// The cause of EPERM, EACCES or ENOSYS.
    fn why(self, error: io::Error) -> IoUringRefusal {
        if error.raw_os_error() == Some(Errno::NOSYS.raw_os_error()) {
            // A kernel that has the switch has io_uring: only a filter can hide it there.
            let hidden = self.filtered && self.switch.is_some();
            return if hidden { IoUringRefusal::BlockedBySeccomp } else { IoUringRefusal::NotInKernel };
        }
        match self.switch {
            Some(1) if !self.privileged => IoUringRefusal::DisabledBySysctl(1),
            Some(value) if value >= 2 => IoUringRefusal::DisabledBySysctl(value),
            _ if self.filtered => IoUringRefusal::BlockedBySeccomp,
            _ => IoUringRefusal::Other(error),
        }
    }
}

/// The seccomp mode of the calling thread.
fn seccomp_mode() -> Option<u8> {
    let status = fs::read_to_string("/proc/thread-self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("Seccomp:"))?.trim().parse().ok()
}

impl IoUringRefusal {
    /// What to change so that there is a ring.
    pub(crate) fn advice(&self) -> String {
        match self {
            IoUringRefusal::NotInKernel => {
                "run on Linux 5.7 or newer, outside sandboxes without io_uring (gVisor is one)".into()
            }
            IoUringRefusal::TooOld => "run on Linux 5.7 or newer".into(),
            IoUringRefusal::DisabledBySysctl(1) => "as root: `sysctl kernel.io_uring_disabled=0`, or add the user to \
                 the group in kernel.io_uring_group"
                .into(),
            IoUringRefusal::DisabledBySysctl(_) => "as root: `sysctl kernel.io_uring_disabled=0`".into(),
            IoUringRefusal::BlockedBySeccomp => "allow io_uring_setup, io_uring_enter and io_uring_register in the \
                 filter's profile (docker and podman: `--security-opt seccomp=profile.json`)"
                .into(),
            IoUringRefusal::Memlock(_) => "before Linux 5.12 raise the limit on locked memory (`ulimit -l`, systemd \
                 `LimitMEMLOCK=`, docker `--ulimit memlock=-1`), since then the cgroup's memory; or lower \
                 `ring_entries` or `worker_threads`"
                .into(),
            IoUringRefusal::FdLimit(_) => {
                "raise the limit on open files (`ulimit -n`, systemd `LimitNOFILE=`, docker `--ulimit nofile=`) or \
                 lower `worker_threads`"
                    .into()
            }
            IoUringRefusal::Entries(_) => format!("set `ring_entries` to 1 to {MAX_ENTRIES}"),
            IoUringRefusal::Other(_) => "ask whoever runs this machine which policy refuses io_uring_setup".into(),
        }
    }

    /// The cause alone, without the way out.
    pub(crate) fn cause(&self) -> String {
        match self {
            IoUringRefusal::NotInKernel => "the kernel has no io_uring (ENOSYS)".into(),
            IoUringRefusal::TooOld => "the kernel's io_uring lacks operations that monoio uses".into(),
            IoUringRefusal::DisabledBySysctl(value) => {
                format!("io_uring is disabled by the sysctl kernel.io_uring_disabled = {value}")
            }
            IoUringRefusal::BlockedBySeccomp => "io_uring is blocked by a seccomp filter".into(),
            IoUringRefusal::Memlock(limit) => {
                format!("no memory for a ring (ENOMEM; RLIMIT_MEMLOCK is {})", bytes(limit.current))
            }
            IoUringRefusal::FdLimit(limit) => {
                format!("no file descriptor left (RLIMIT_NOFILE is {})", number(limit.current))
            }
            IoUringRefusal::Entries(entries) => format!("the kernel makes no ring with {entries} entries"),
            IoUringRefusal::Other(error) => format!("io_uring_setup failed: {error}"),
        }
    }
}

impl fmt::Display for IoUringRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.cause(), self.advice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(errno: Errno, switch: Option<u8>, filtered: bool, privileged: bool) -> IoUringRefusal {
        Surroundings { switch, filtered, privileged }.why(errno.into())
    }

    #[test]
    fn a_refusal_is_told_by_what_surrounds_it() {
        use IoUringRefusal::*;
        assert!(matches!(why(Errno::PERM, Some(2), false, true), DisabledBySysctl(2)));
        assert!(matches!(why(Errno::PERM, Some(2), true, false), DisabledBySysctl(2)));
        assert!(matches!(why(Errno::PERM, Some(1), true, false), DisabledBySysctl(1)));
        // The switch at 1 lets a privileged process through: what refused it is the filter.
        assert!(matches!(why(Errno::PERM, Some(1), true, true), BlockedBySeccomp));
        assert!(matches!(why(Errno::PERM, Some(0), true, false), BlockedBySeccomp));
        assert!(matches!(why(Errno::PERM, None, true, false), BlockedBySeccomp));
        assert!(matches!(why(Errno::ACCESS, Some(0), false, true), Other(_)));
        assert!(matches!(why(Errno::NOSYS, None, false, true), NotInKernel));
        assert!(matches!(why(Errno::NOSYS, None, true, true), NotInKernel));
        assert!(matches!(why(Errno::NOSYS, Some(0), true, true), BlockedBySeccomp));
    }

    #[test]
    fn limits_are_told_by_the_error_alone() {
        use IoUringRefusal::*;
        assert!(matches!(why_refused(Errno::NOMEM.into(), 64), Memlock(_)));
        assert!(matches!(why_refused(Errno::MFILE.into(), 64), FdLimit(_)));
        assert!(matches!(why_refused(Errno::INVAL.into(), 64), Entries(64)));
        assert!(matches!(why_refused(Errno::FAULT.into(), 64), Other(_)));
        assert!(matches!(why_refused(io::ErrorKind::Other.into(), 64), Other(_)));
    }

    #[test]
    fn every_refusal_names_a_cause_and_a_way_out() {
        let limit = Rlimit { current: Some(4096), maximum: None };
        let words = [
            (IoUringRefusal::NotInKernel, "ENOSYS", "Linux 5.7"),
            (IoUringRefusal::TooOld, "lacks operations", "Linux 5.7"),
            (IoUringRefusal::DisabledBySysctl(1), "kernel.io_uring_disabled = 1", "io_uring_group"),
            (
                IoUringRefusal::DisabledBySysctl(2),
                "kernel.io_uring_disabled = 2",
                "kernel.io_uring_disabled=0",
            ),
            (IoUringRefusal::BlockedBySeccomp, "seccomp", "--security-opt seccomp="),
            (IoUringRefusal::Memlock(limit), "4 KiB", "ulimit -l"),
            (IoUringRefusal::FdLimit(limit), "RLIMIT_NOFILE is 4096", "ulimit -n"),
            (IoUringRefusal::Entries(0), "0 entries", "1 to 32768"),
            (IoUringRefusal::Other(Errno::ACCESS.into()), "Permission denied", "policy"),
        ];
        for (refusal, cause, way_out) in words {
            let text = refusal.to_string();
            assert!(text.contains(cause) && text.contains(way_out), "{text}");
        }
    }

    #[test]
    fn the_kernel_itself_says_how_many_entries_are_too_many() {
        // Where rings are refused altogether, entries do not come into it.
        if probe_io_uring(1).is_ok() {
            assert!(!matches!(probe_io_uring(MAX_ENTRIES), Err(IoUringRefusal::Entries(_))));
            assert!(matches!(probe_io_uring(0), Err(IoUringRefusal::Entries(0))));
            assert!(matches!(probe_io_uring(MAX_ENTRIES + 1), Err(IoUringRefusal::Entries(_))));
        } else {
            assert!(!matches!(probe_io_uring(1), Err(IoUringRefusal::Entries(_))));
        }
    }

    #[test]
    fn a_ring_takes_its_two_areas_rounded_up() {
        assert_eq!(ring_bytes(1), 8192);
        assert_eq!(ring_bytes(256), 16384 + 16384);
        assert_eq!(ring_bytes(1000), 65536 + 65536);
        assert_eq!(ring_bytes(1024), 65536 + 65536);
    }
}
