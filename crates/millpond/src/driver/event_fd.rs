//! The signal that a kernel driver can wait on.

use super::Signal;
use crate::sync::unmodelled::RwLock;
use rustix::{
    event::{EventfdFlags, eventfd},
    fd::OwnedFd,
    io::{Errno, read, write},
};
use std::{io, sync::PoisonError};

/// An eventfd: one descriptor, a counter in the kernel. See eventfd(2).
///
/// Whoever keeps a waker or a handle of a pool that has gone keeps this, but not its descriptor: the loop closes that at
/// its end.
#[derive(Debug)]
pub(crate) struct EventFd {
    /// Emptied by `close`, under the write lock; every use is under the read lock, and brief.
    fd: RwLock<Option<OwnedFd>>,
}

impl EventFd {
    pub(crate) fn new() -> io::Result<EventFd> {
        // Blocking, because io_uring answers a read of an empty non-blocking one with EAGAIN in place of waiting. A write
        // blocks on a full counter only, after 2^64 - 2 signals that no wait has seen.
        Ok(EventFd { fd: RwLock::new(Some(eventfd(0, EventfdFlags::CLOEXEC)?)) })
    }

    /// A second descriptor of the same counter, for the runtime to own.
    pub(crate) fn duplicate(&self) -> io::Result<OwnedFd> {
        self.with(OwnedFd::try_clone).unwrap_or_else(|| Err(io::ErrorKind::NotConnected.into()))
    }

    fn with<R>(&self, f: impl FnOnce(&OwnedFd) -> R) -> Option<R> {
        self.fd.read().unwrap_or_else(PoisonError::into_inner).as_ref().map(f)
    }

    /// Opens as many descriptors as are about to be needed, and closes them again. Too few are found out so before a
    /// runtime is made: monoio leaks a ring for which it then finds no eventfd.
    pub(crate) fn check_room_for(&self, descriptors: u64) -> io::Result<()> {
        (0..descriptors).map(|_| self.duplicate()).collect::<io::Result<Vec<_>>>().map(drop)
    }

    /// Takes the signal back. Only after a wait has found it set, by the one thread that waits: so it does not block.
    pub(crate) fn clear(&self) {
        self.with(|fd| while matches!(read(fd, &mut [0_u8; 8]), Err(Errno::INTR)) {});
    }
}

impl Signal for EventFd {
    fn notify(&self) {
        let one = 1_u64.to_ne_bytes();
        self.with(|fd| while matches!(write(fd, &one), Err(Errno::INTR)) {});
    }

    fn close(&self) {
        let fd = self.fd.write().unwrap_or_else(PoisonError::into_inner).take();
        drop(fd);
    }
}
