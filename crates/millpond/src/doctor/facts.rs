//! What the doctor judges, gathered in one place: tests bring machines of their own.

use std::fs;

use rustix::process::Rlimit;
use rustix::thread::CapabilitySet;

use crate::allowance::Allowance;
use crate::cpus;
use crate::limits::{self, IoUringRefusal, Kernel, ThreadLimit};

/// Everything that the checks look at.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) kernel: Kernel,
    /// Whether there is a ring of [`DEFAULT_RING_ENTRIES`](limits::DEFAULT_RING_ENTRIES).
    pub(super) io_uring: Result<(), IoUringRefusal>,
    pub(super) memlock: Rlimit,
    /// This process may lock memory without counting it (`CAP_IPC_LOCK`).
    pub(super) locks_freely: bool,
    pub(super) fd_limit: Rlimit,
    /// `None` if it cannot be told.
    pub(super) fds_open: Option<u64>,
    /// What a pool that is built here may count on.
    pub(super) allowance: Allowance,
    /// The machine's CPUs as the kernel lists them; `None` if it does not.
    pub(super) cpus_online: Option<String>,
    /// In CPUs; `None` if there is none.
    pub(super) quota: Option<f64>,
    pub(super) threads: ThreadLimit,
}

impl Facts {
    pub(super) fn gather() -> Facts {
        let online = fs::read_to_string("/sys/devices/system/cpu/online");
        Facts {
            kernel: Kernel::running(),
            io_uring: limits::probe_io_uring(limits::DEFAULT_RING_ENTRIES),
            memlock: limits::memlock(),
            locks_freely: limits::capable_of(CapabilitySet::IPC_LOCK),
            fd_limit: limits::fd_limit(),
            fds_open: limits::fds_open(),
            allowance: Allowance::of_this_thread(),
            cpus_online: online.ok().map(|list| list.trim().to_owned()),
            quota: cpus::quota(),
            threads: limits::threads_allowed(),
        }
    }
}
