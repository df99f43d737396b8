//! How many operations of a ring are in flight, by the kernel's own account.
//!
//! monoio keeps its table of operations to itself, and frees their buffers with the runtime. Each submission of monoio's
//! gives one completion, so the submissions queued less the completions posted are those the kernel still has. It shows
//! both for each ring under `/proc/self/fdinfo` (io_uring/fdinfo.c in the kernel's source).

use std::{
    collections::BTreeSet,
    fs, io,
    sync::{Mutex, PoisonError},
};

/// The descriptor number of one ring of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring(u32);

/// Held while a ring of ours comes or goes, so that what is new is the one that was just made.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `build`, which makes a ring, and finds out its descriptor. `None`: it can't be told, for want of `/proc`, or
/// because rings came or went meanwhile that are not ours.
pub(crate) fn find<T>(build: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Option<Ring>)> {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let before = rings();
    let built = build()?;
    let ring = before.and_then(|before| {
        let now = rings()?;
        let mut new = now.difference(&before).copied();
        let ring = new.next()?;
        new.next().is_none().then_some(Ring(ring))
    });
    Ok((built, ring))
}

/// Runs what closes a ring, or makes one and closes it again.
pub(crate) fn alone<T>(run: impl FnOnce() -> T) -> T {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    run()
}

/// The descriptors of this process that are rings. `None` where they can't be listed.
fn rings() -> Option<BTreeSet<u32>> {
    let entries = fs::read_dir("/proc/self/fd").ok()?;
    let is_ring = |entry: &fs::DirEntry| {
        fs::read_link(entry.path()).is_ok_and(|target| target.as_os_str() == "anon_inode:[io_uring]")
    };
    let number = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
    Some(entries.filter_map(Result::ok).filter(is_ring).filter_map(number).collect())
}

/// What the kernel counts of a ring. All of it counts up without end and wraps at 2^32.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Operations that were put into the submission queue.
    pub(crate) queued: u32,
    /// Operations that are queued or in the kernel.
    pub(crate) in_flight: u32,
}

impl Ring {
    /// `None` where the kernel does not say: before Linux 5.16, or without `/proc`.
    pub(crate) fn counts(self) -> Option<Counts> {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", self.0)).ok()?;
        let field = |name: &str| -> Option<u32> {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.trim().parse().ok()
        };
        let queued = field("SqTail")?;
        Some(Counts { queued, in_flight: queued.wrapping_sub(field("CqTail")?) })
    }
}
