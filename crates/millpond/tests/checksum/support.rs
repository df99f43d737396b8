//! What the tests share: a folder of files, and the program run inside it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

pub(crate) const GIB: u64 = 1 << 30;

/// The program: cargo builds examples beside the tests of a package.
pub(crate) fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
    let program = profile.join("examples/checksum");
    assert!(program.is_file(), "{program:?} is missing: build it with `cargo build --example checksum`");
    program
}

/// A folder of its own for each test, removed at its end.
pub(crate) struct Tree {
    folder: TempDir,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    pub(crate) fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.folder.path().join(name.as_ref())
    }

    /// Writes a file, and the directories above it, and gives its line of output.
    pub(crate) fn file(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> String {
        let path = self.path(&name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("folders");
        fs::write(path, &content).expect("a file");
        line(blake3::hash(content.as_ref()), &name.as_ref().to_string_lossy())
    }

    /// A file without content on the disk that reads as `len` zeros.
    pub(crate) fn sparse(&self, name: &str, len: u64) -> File {
        let file = File::create_new(self.path(name)).expect("a file");
        file.set_len(len).expect("a sparse file");
        file
    }

    pub(crate) fn fifo(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a FIFO");
        path
    }

    pub(crate) fn link(&self, target: impl AsRef<Path>, name: &str) {
        std::os::unix::fs::symlink(target, self.path(name)).expect("a link");
    }

    /// The program, in this folder, with nothing on its standard input.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.folder.path()).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub(crate) fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        self.command(args).output().expect("the program starts").into()
    }
}

/// What a run of the program left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    /// The lines on standard error that are not the table.
    pub(crate) errors: Vec<String>,
    pub(crate) table: Vec<String>,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).expect("standard error is UTF-8");
        let mut errors: Vec<String> = stderr.lines().map(str::to_owned).collect();
        let head = errors.iter().position(|line| line.starts_with("worker "));
        let table = errors.split_off(head.unwrap_or(errors.len()));
        let stdout = String::from_utf8(output.stdout).expect("standard output is UTF-8");
        Self { status: output.status.code(), stdout, errors, table }
    }
}

impl Ran {
    /// Nothing went wrong, and exactly this was printed.
    #[track_caller]
    pub(crate) fn assert_prints(&self, expected: &str) {
        assert_eq!(self.stdout, expected);
        assert_eq!((self.errors.as_slice(), self.status), (&[][..], Some(0)));
    }

    /// Exactly this was printed, exactly these errors were named, and the status tells of them.
    #[track_caller]
    pub(crate) fn assert_fails(&self, expected: &str, errors: &[&str]) {
        assert_eq!(self.stdout, expected);
        assert_eq!(self.errors, errors);
        assert_eq!(self.status, Some(1));
    }
}

pub(crate) fn line(hash: blake3::Hash, name: &str) -> String {
    format!("{hash}  {name}\n")
}

pub(crate) fn name(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

/// Bytes without a pattern that a block size could hide in.
pub(crate) fn content(len: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().update(&seed.to_le_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

pub(crate) fn hasher_of_zeros(len: u64) -> blake3::Hasher {
    let mut hasher = blake3::Hasher::new();
    let zeros = vec![0; 1 << 20];
    for _ in 0..len >> 20 {
        hasher.update(&zeros);
    }
    assert_eq!(hasher.count(), len, "a whole number of MiB");
    hasher
}

/// Waits until the process has this file open `times` times at once; fails when it ends before that.
pub(crate) fn wait_until_open(child: &mut Child, path: &Path, times: usize) {
    let descriptors = format!("/proc/{}/fd", child.id());
    let is_it = |entry: std::io::Result<fs::DirEntry>| {
        entry.and_then(|entry| fs::read_link(entry.path())).is_ok_and(|target| target == path)
    };
    loop {
        let status = child.try_wait().expect("a child of ours");
        assert!(status.is_none(), "ended with {status:?} before it had {path:?} open {times} times");
        // Gone once the process has ended: the next turn says so.
        let open = fs::read_dir(&descriptors).map_or(0, |all| all.map(is_it).filter(|&it| it).count());
        if open >= times {
            return;
        }
        std::thread::yield_now();
    }
}

/// Presses Ctrl-C.
pub(crate) fn interrupt(child: &Child) {
    let pid = Pid::from_child(child);
    kill_process(pid, Signal::INT).expect("the process is there");
}

/// Reads from the process's standard output until there is a whole line, and gives all that came.
pub(crate) fn first_line(child: &mut Child) -> String {
    let stdout = child.stdout.as_mut().expect("standard output is a pipe");
    let mut read = Vec::new();
    while !read.ends_with(b"\n") {
        let mut byte = [0];
        assert_ne!(stdout.read(&mut byte).expect("a pipe"), 0, "ended after {read:?}");
        read.push(byte[0]);
    }
    String::from_utf8(read).expect("standard output is UTF-8")
}
