//! The folder that is served, and the only way into it.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fcntl_setfl, fstat, openat, openat2};
use rustix::io::Errno;

/// The kernel itself sees to it that no path leaves the folder, by `..`, by a link or by a rename at that very moment.
#[derive(Debug)]
pub(crate) struct Folder {
    fd: OwnedFd,
}

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Found {
    File(Content),
    Folder,
}

/// A file, as it was when it was opened.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) file: File,
    pub(crate) len: u64,
    /// `None` if it is before 1970, a time that HTTP cannot write.
    pub(crate) modified: Option<SystemTime>,
}

/// Not stopped by a FIFO without a writer; a file that is opened for reading has nothing to stop for.
const OPEN: OFlags = OFlags::RDONLY.union(OFlags::CLOEXEC).union(OFlags::NOCTTY).union(OFlags::NONBLOCK);

const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

impl Folder {
    /// Fails, too, on a kernel that cannot keep paths inside: before Linux 5.6, or where a filter hides the call.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let fd = openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        openat2(&fd, ".", OPEN, Mode::empty(), BENEATH).map_err(|error| {
            io::Error::other(format!("openat2, which keeps paths inside, does not work here: {error}"))
        })?;
        Ok(Self { fd })
    }

    /// Opens what is at `path`. On the worker if all names on the way are in the kernel's cache, which takes a few
    /// microseconds; else, as a disk may have to be asked, beside it.
    pub(crate) async fn find(self: &Arc<Self>, path: &[u8]) -> Result<Found, Errno> {
        match self.look(path, BENEATH | ResolveFlags::CACHED) {
            // Not in the cache; or a kernel before 5.12, which does not know how to look there only.
            Err(Errno::AGAIN | Errno::INVAL) => {}
            found => return found,
        }
        let (folder, path) = (Arc::clone(self), path.to_owned());
        // Ended by the blocking thread, or, if the pool ends first, by an error.
        let found = millpond::spawn_blocking(move || folder.look(&path, BENEATH)).await;
        found.unwrap_or(Err(Errno::CANCELED))
    }

    fn look(&self, path: &[u8], resolve: ResolveFlags) -> Result<Found, Errno> {
        let fd = openat2(&self.fd, path, OPEN, Mode::empty(), resolve)?;
        let stat = fstat(&fd)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => return Ok(Found::Folder),
            FileType::RegularFile => {}
            // A FIFO, a device: nothing that has a length.
            _ => return Err(Errno::NOENT),
        }
        // The ring takes the flag by its word where a file system cannot wait in the background, and fails instead.
        fcntl_setfl(&fd, OFlags::empty())?;
        let len = u64::try_from(stat.st_size).unwrap_or(0);
        let (seconds, nanos) = (u64::try_from(stat.st_mtime).ok(), u32::try_from(stat.st_mtime_nsec));
        let since_1970 = seconds.map(|seconds| Duration::new(seconds, nanos.unwrap_or(0)));
        let modified = since_1970.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since));
        Ok(Found::File(Content { file: fd.into(), len, modified }))
    }
}
