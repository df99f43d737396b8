//! What all requests share.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use millpond::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::refusal::Refusal;

/// Below the 255 of most file systems by what a name gains while it is uploaded.
const NAME_BYTES: usize = 200;

/// The folder, the pool, and the limits.
#[derive(Debug)]
pub(crate) struct Site {
    folder: PathBuf,
    pub(crate) pool: Handle,
    /// A permit for each transfer that may begin. The transfer's job holds it until it is over.
    transfers: Arc<Semaphore>,
    /// Of one upload.
    pub(crate) max_bytes: u64,
    /// Uploads so far, so that no two write to the same file.
    uploads: AtomicU64,
}

impl Site {
    pub(crate) fn new(folder: PathBuf, pool: Handle, max_transfers: u32, max_bytes: u64) -> io::Result<Self> {
        let about = |error| io::Error::other(format!("{}: {error}", folder.display()));
        if !fs::metadata(&folder).map_err(about)?.is_dir() {
            return Err(about(io::ErrorKind::NotADirectory.into()));
        }
        let transfers = Arc::new(Semaphore::new(max_transfers as usize));
        Ok(Self { folder, pool, transfers, max_bytes, uploads: AtomicU64::new(0) })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a file of that name is. Names with a slash would lead out of the folder, and those with a dot first are hidden.
    pub(crate) fn path(&self, name: &str) -> Result<PathBuf, Refusal> {
        let is_plain = !name.is_empty() && name.len() <= NAME_BYTES && !name.contains(['/', '\0']);
        if is_plain && !name.starts_with('.') { Ok(self.folder.join(name)) } else { Err(Refusal::BadName) }
    }

    /// Where an upload lies until it is whole: hidden, in the same folder, as a rename does not cross file systems.
    pub(crate) fn unfinished_path(&self, name: &str) -> PathBuf {
        self.folder.join(format!(".{name}.{}.unfinished", self.uploads.fetch_add(1, Relaxed)))
    }

    /// Says no at once where there are too many: a client that is told to come again holds nothing here.
    pub(crate) fn begin_transfer(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.transfers).try_acquire_owned().map_err(|_| Refusal::Busy)
    }
}
