//! The sets of files: written once, under the directory of this program, and used again.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use blake3::Hasher;
use rustix::fs::{statvfs, syncfs};

use super::super::random::mixed;
use super::{MIB, Tally};

/// What is written, and how the marker tells of it. To be raised when either changes: sets of before are then replaced.
const VERSION: u32 = 1;

/// Its last file, and what it is known by: the sum of the hashes.
const MARKER: &str = "marker";

/// Written at once. A divisor of the larger files, and more than the smaller.
const BLOCK_BYTES: u64 = 256 * 1024;

/// So many files, each of so many bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) count: usize,
    pub(super) file_bytes: u64,
}

/// A set that is on the disk.
#[derive(Debug)]
pub(super) struct Data {
    dir: PathBuf,
    pub(super) paths: Vec<PathBuf>,
    pub(super) expected: Tally,
}

impl Data {
    /// The set as it was written before, or written now.
    pub(super) fn ready(shape: Shape) -> Result<Self, String> {
        let Shape { count, file_bytes } = shape;
        let program = std::env::current_exe().map_err(|error| format!("where this program lies: {error}"))?;
        let base = program.parent().unwrap_or(Path::new(".")).join("bench-data");
        let dir = base.join(format!("{count}-files-of-{file_bytes}"));
        let sum = match read_marker(&dir, shape) {
            Some(sum) => sum,
            None => write_all(&base, &dir, shape)?,
        };
        let paths = (0..count).map(|index| path(&dir, index)).collect();
        let expected = Tally { files: count as u64, bytes: shape.bytes(), sum };
        Ok(Data { dir, paths, expected })
    }

    /// What went wrong with it, and the way out.
    pub(super) fn failed(&self, error: &dyn Display) -> String {
        format!("{error}; if the set is not as it was written, remove {}", self.dir.display())
    }
}

impl Shape {
    fn bytes(self) -> u64 {
        self.count as u64 * self.file_bytes
    }
}

fn path(dir: &Path, index: usize) -> PathBuf {
    dir.join(format!("{index:05}"))
}

fn first_line(shape: Shape) -> String {
    format!("version {VERSION}: {} files of {} bytes", shape.count, shape.file_bytes)
}

/// The sum, if the set is there and is this one.
fn read_marker(dir: &Path, shape: Shape) -> Option<u64> {
    let text = fs::read_to_string(dir.join(MARKER)).ok()?;
    let (first, sum) = text.split_once('\n')?;
    if first == first_line(shape) { sum.trim().parse().ok() } else { None }
}

/// Writes the set beside its place and moves it there when it is whole and on the disk.
fn write_all(base: &Path, dir: &Path, shape: Shape) -> Result<u64, String> {
    let part = dir.with_extension("part");
    let failed = |error: io::Error| format!("{} cannot be written: {error}", part.display());
    fs::create_dir_all(base).map_err(failed)?;
    for old in [dir, &part] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(failed)?;
        }
    }
    check_room(base, shape)?;
    let write = || {
        fs::create_dir(&part)?;
        let sum = write_files(&part, shape)?;
        fs::write(part.join(MARKER), format!("{}\n{sum}\n", first_line(shape)))?;
        // Once for all of them; only what is on the disk can be dropped from memory.
        syncfs(File::open(&part)?)?;
        fs::rename(&part, dir)?;
        Ok(sum)
    };
    write().map_err(failed)
}

/// With a tenth more for the directory, and so as not to fill the disk.
fn check_room(base: &Path, shape: Shape) -> Result<(), String> {
    let room = statvfs(base).map_err(|error| format!("the room in {}: {error}", base.display()))?;
    let (needed, free) = (shape.bytes() / 10 * 11, room.f_bavail * room.f_frsize);
    if needed <= free {
        return Ok(());
    }
    Err(format!(
        "{} MiB are needed in {}, where {} MiB are free: make room, choose another place (CARGO_TARGET_DIR), or try --quick",
        needed / MIB,
        base.display(),
        free / MIB
    ))
}

fn write_files(dir: &Path, shape: Shape) -> io::Result<u64> {
    let mut block = vec![0; BLOCK_BYTES.min(shape.file_bytes) as usize];
    let mut tally = Tally::default();
    for index in 0..shape.count {
        // No two words of any file are alike: the index in the upper half, the word's place in the lower, and then mixed, so
        // that there is nothing for a disk to compress.
        let mut word = (index as u64) << 32;
        let (mut file, mut hasher) = (File::create_new(path(dir, index))?, Hasher::new());
        for _ in 0..shape.file_bytes / block.len() as u64 {
            for bytes in block.chunks_exact_mut(8) {
                bytes.copy_from_slice(&mixed(word).to_le_bytes());
                word += 1;
            }
            file.write_all(&block)?;
            hasher.update(&block);
        }
        tally += Tally::of_file(shape.file_bytes, hasher.finalize());
    }
    Ok(tally.sum)
}
