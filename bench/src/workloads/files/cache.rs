//! The page cache: emptied of files, filled with them, and how much has come from the device instead.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::PathBuf;

use rustix::fs::{Advice, fadvise};

/// Few calls, and no more than the nearer caches hold.
const BLOCK_BYTES: usize = 256 * 1024;

/// Drops the files' contents from memory; they were synced when they were written. Names and inodes stay there.
pub(super) fn forget(paths: &[PathBuf]) -> io::Result<()> {
    for path in paths {
        fadvise(File::open(path)?, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

/// Reads the files, and leaves them in memory.
pub(super) fn learn(paths: &[PathBuf]) -> io::Result<()> {
    let mut block = vec![0; BLOCK_BYTES];
    for path in paths {
        let mut file = File::open(path)?;
        while file.read(&mut block)? > 0 {}
    }
    Ok(())
}

/// Bytes that this process, the threads of its rings included, has had a device read.
pub(super) fn read_from_device() -> Result<u64, String> {
    let path = "/proc/self/io";
    let counts = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let count = counts.lines().find_map(|line| line.strip_prefix("read_bytes: ")?.parse().ok());
    count.ok_or_else(|| format!("{path} has no read_bytes"))
}
