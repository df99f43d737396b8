//! How many operations of a ring are in flight, by the kernel's own account.
//!
//! monoio keeps its table of operations to itself, and frees their buffers with the runtime. Each submission of monoio's
//! gives one completion, so the submissions queued less the completions posted are those the kernel still has. It shows
//! both for each ring under `/proc/self/fdinfo` (io_uring/fdinfo.c in the kernel's source).

use std::{collections::BTreeSet, fs, io, sync::Mutex};

/// The descriptor number of one ring of this process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring(u32);

/// Runs `build`, which makes a ring, and finds out its descriptor. `None`: it can't be told, for want of `/proc`, or
/// because another thread made rings meanwhile, outside this function.
pub(crate) fn find<T>(build: impl FnOnce() -> io::Result<T>) -> io::Result<(T, Option<Ring>)> {
    // One at a time, so that what is new is ours.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let before = descriptors();
    let built = build()?;
    let ring = before.and_then(|before| {
        let now = descriptors()?;
        let mut new = now.difference(&before).copied().filter(is_ring);
        let ring = new.next()?;
        new.next().is_none().then_some(Ring(ring))
    });
    Ok((built, ring))
}

/// The numbers of this process's descriptors. `None` where they can't be listed.
fn descriptors() -> Option<BTreeSet<u32>> {
    let entries = fs::read_dir("/proc/self/fd").ok()?;
    Some(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

fn is_ring(fd: &u32) -> bool {
    fs::read_link(format!("/proc/self/fd/{fd}"))
        .is_ok_and(|target| target.as_os_str() == "anon_inode:[io_uring]")
}

impl Ring {
    /// Operations queued or in the kernel. `None` where the kernel does not say.
    pub(crate) fn in_flight(self) -> Option<u32> {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", self.0)).ok()?;
        let field = |name: &str| -> Option<u32> {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
            line.trim().parse().ok()
        };
        // Both count up without end and wrap at 2^32.
        Some(field("SqTail")?.wrapping_sub(field("CqTail")?))
    }
}
