//! The same bytes as the real b3sum, on a tree of ten thousand files.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::support::{Tree, content, name};

const FILES: usize = 10_000;

/// Names in the style of users, and of their enemies. `{}` makes each of them unique.
const NAMES: &[&[u8]] = &[
    b"plain-{}.txt",
    b"with space {}",
    b"  {}",
    b"\xc3\xbcml\xc3\xa4ut {}",
    b"\xf0\x9f\xa6\x80{}",
    b"back\\slash\\{}",
    b"\\n{}",
    b"new\nline{}",
    b"carriage\r{}",
    b"latin-1 \xe9{}",
    b"\xff\xfe{}",
    b"-{}",
    b".hidden{}",
    b"BLAKE3 ({}) = x",
    b"a*?[{}]",
    b"$HOME'\"{}",
    b"{}\n",
];

#[test]
#[ignore = "needs the real b3sum: its path in MILLPOND_B3SUM, as `cargo xtask test` sets it"]
fn identical_to_b3sum() {
    let b3sum = std::env::var_os("MILLPOND_B3SUM").expect("MILLPOND_B3SUM is the path of the real b3sum");
    let b3sum = Path::new(&b3sum);
    let tree = grow();

    let paths = files_below(&tree, b"t");
    assert_eq!(paths.len(), FILES);
    let theirs = run(Command::new(b3sum).args(&paths), &tree);
    let ours = run(&mut tree.command(["t"]), &tree);
    assert_eq!(ours.status.code(), theirs.status.code());
    assert!(ours.stdout == theirs.stdout, "a walk prints what b3sum prints for its sorted files");

    // As arguments, in an order of their own.
    let backwards: Vec<&PathBuf> = paths.iter().rev().collect();
    let theirs = run(Command::new(b3sum).args(&backwards), &tree);
    let ours = run(&mut tree.command(&backwards), &tree);
    assert_eq!(ours.status.code(), theirs.status.code());
    assert!(ours.stdout == theirs.stdout, "files print as b3sum prints them");

    // The list, with some of its files changed, removed, and some of its lines spoilt.
    spoil(&tree, &paths, theirs.stdout);
    let theirs = run(Command::new(b3sum).args(["--check", "sums"]), &tree);
    let ours = run(&mut tree.command(["--check", "sums"]), &tree);
    assert_eq!(theirs.status.code(), Some(1));
    assert_eq!(ours.status.code(), theirs.status.code());
    assert!(ours.stdout == theirs.stdout, "a list is checked as b3sum checks it");
    let warning = |output: &Output, name: &str| {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let start = format!("{name}: WARNING: ");
        stderr.lines().find_map(|line| line.strip_prefix(&start)).expect("a warning").to_owned()
    };
    assert_eq!(warning(&ours, "checksum"), warning(&theirs, "b3sum"));
}

/// Sizes from nothing to many pieces; few are large, as in life.
fn grow() -> Tree {
    let tree = Tree::new();
    for index in 0..FILES {
        let pattern = NAMES[index % NAMES.len()];
        let folder = format!("t/d{}/{}/", index % 7, index % 61);
        let at = pattern.windows(2).position(|window| window == b"{}").expect("a place for the number");
        let (start, end) = (&pattern[..at], &pattern[at + 2..]);
        let path = [folder.as_bytes(), start, index.to_string().as_bytes(), end].concat();
        let size = match index % 1000 {
            0 => 3_000_000 * (index / 1000),
            1..100 => index * 97,
            _ => index % 5000,
        };
        tree.file(name(&path), content(size, index as u64));
    }
    tree
}

/// All files, sorted by the bytes of their paths.
fn files_below(tree: &Tree, folder: &[u8]) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(tree.path(name(&folder))).expect("a folder") {
            let entry = entry.expect("an entry");
            let path = [&*folder, b"/", entry.file_name().as_bytes()].concat();
            if entry.file_type().expect("a type").is_dir() { folders.push(path) } else { paths.push(path) }
        }
    }
    paths.sort_unstable();
    paths.into_iter().map(|path| PathBuf::from(std::ffi::OsString::from_vec(path))).collect()
}

fn spoil(tree: &Tree, paths: &[PathBuf], list: Vec<u8>) {
    for path in paths.iter().step_by(100) {
        fs::write(tree.path(path), "changed").expect("a file");
    }
    for path in paths.iter().skip(50).step_by(100) {
        fs::remove_file(tree.path(path)).expect("a file");
    }
    let mut spoilt = list;
    for line in ["", "no checksum", "0123  short", "\\0123  x\\y"] {
        spoilt.extend_from_slice(line.as_bytes());
        spoilt.push(b'\n');
    }
    fs::write(tree.path("sums"), spoilt).expect("a list");
}

fn run(command: &mut Command, tree: &Tree) -> Output {
    let output = command.current_dir(tree.path(OsStr::new(""))).stdin(Stdio::null()).output();
    output.expect("the program starts")
}
