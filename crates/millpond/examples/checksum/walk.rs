//! A directory tree as a stream of files, in the order of the bytes of their paths.
//!
//! Only the directories on the way to the present file are in memory, each as one block of names: the
//! order of a directory is not known before its last name is. A million names of 12 bytes take 28 MB
//! for as long as that directory is being walked; nothing else here grows with the tree.
//!
//! Links to files are followed, as reading them would. Links to directories are not, so a walk ends
//! whatever the links point at; each is named, since what is behind it has no checksum.

use std::ffi::OsStr;
use std::fs::{self, FileType};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// A file to read, or the reason why there is nothing to read at this path.
pub(crate) type Found = (PathBuf, io::Result<()>);

/// The walk: an iterator over what is below one directory.
#[derive(Debug)]
pub(crate) struct Walk {
    /// From the root down to the directory that is being listed.
    levels: Vec<Level>,
    /// A directory that could not be listed, or not to its end: reported before what it did give.
    unreadable: Option<Found>,
}

/// One directory, read to its end and sorted.
#[derive(Debug)]
struct Level {
    path: PathBuf,
    /// All names, one after the other. A directory's ends in `/`: compared like that, names come in
    /// the order in which the full paths below them do (`a-b`, then `a/…`).
    names: Vec<u8>,
    /// Sorted backwards, so that the next one is the last.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    start: usize,
    len: u16,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    File,
    Directory,
    Link,
    Special(&'static str),
}

impl Walk {
    pub(crate) fn new(root: PathBuf) -> Self {
        let mut walk = Self { levels: Vec::new(), unreadable: None };
        walk.enter(root);
        walk
    }

    fn enter(&mut self, path: PathBuf) {
        let mut level = Level { path, names: Vec::new(), entries: Vec::new() };
        if let Err(error) = level.list() {
            self.unreadable = Some((level.path.clone(), Err(error)));
        }
        self.levels.push(level);
    }
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            if let Some(unreadable) = self.unreadable.take() {
                return Some(unreadable);
            }
            let level = self.levels.last_mut()?;
            let Some(entry) = level.entries.pop() else {
                self.levels.pop();
                continue;
            };
            let path = level.path.join(OsStr::from_bytes(level.name(&entry)));
            match entry.kind {
                Kind::File => return Some((path, Ok(()))),
                Kind::Directory => self.enter(path),
                Kind::Link => {
                    let target = behind_link(&path);
                    return Some((path, target));
                }
                Kind::Special(what) => return Some((path, Err(not_read(what)))),
            }
        }
    }
}

impl Level {
    fn list(&mut self) -> io::Result<()> {
        let listed = self.read_names();
        let names = &self.names;
        self.entries.sort_unstable_by(|a, b| b.sort_key(names).cmp(a.sort_key(names)));
        listed
    }

    fn read_names(&mut self) -> io::Result<()> {
        for found in fs::read_dir(&self.path)? {
            let found = found?;
            // Where the type is not to be had, opening will give the reason.
            let kind = found.file_type().map_or(Kind::File, Kind::of);
            let start = self.names.len();
            self.names.extend_from_slice(found.file_name().as_bytes());
            if let Kind::Directory = kind {
                self.names.push(b'/');
            }
            // Linux allows 255 bytes a name.
            let len = (self.names.len() - start) as u16;
            self.entries.push(Entry { start, len, kind });
        }
        Ok(())
    }

    fn name(&self, entry: &Entry) -> &[u8] {
        let key = entry.sort_key(&self.names);
        key.strip_suffix(b"/").unwrap_or(key)
    }
}

impl Entry {
    fn sort_key<'n>(&self, names: &'n [u8]) -> &'n [u8] {
        &names[self.start..self.start + usize::from(self.len)]
    }
}

impl Kind {
    fn of(file_type: FileType) -> Self {
        if file_type.is_file() {
            Kind::File
        } else if file_type.is_dir() {
            Kind::Directory
        } else if file_type.is_symlink() {
            Kind::Link
        } else {
            Kind::Special(special(file_type))
        }
    }
}

fn special(file_type: FileType) -> &'static str {
    if file_type.is_fifo() {
        "a FIFO"
    } else if file_type.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

/// Whether the link leads to a file. A broken link and a loop of links give the system's own error.
fn behind_link(path: &Path) -> io::Result<()> {
    let file_type = fs::metadata(path)?.file_type();
    match Kind::of(file_type) {
        Kind::File => Ok(()),
        Kind::Special(what) => Err(not_read(what)),
        Kind::Directory | Kind::Link => {
            Err(io::Error::other("a link to a directory, which a walk does not follow"))
        }
    }
}

fn not_read(what: &str) -> io::Error {
    io::Error::other(format!("{what}, which a walk does not read"))
}
