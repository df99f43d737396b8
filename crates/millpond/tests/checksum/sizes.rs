//! Sizes around every limit at which the program reads in another way.

use std::collections::HashSet;
use std::fs;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};

use crate::support::{GIB, Ran, Tree, content, hasher_of_zeros, line, wait_until_open};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

#[track_caller]
fn hashes_right(sizes: &[usize]) {
    let tree = Tree::new();
    let mut expected = String::new();
    for (index, &size) in sizes.iter().enumerate() {
        expected += &tree.file(format!("t/{index:02}"), content(size, index as u64));
    }
    tree.run(["t"]).assert_prints(&expected);
}

#[test]
fn an_empty_file() {
    hashes_right(&[0]);
}

/// One small buffer holds 64 KiB.
#[test]
fn around_a_small_buffer() {
    hashes_right(&[1, 1023, 1024, 1025, 64 * KIB - 1, 64 * KIB, 64 * KIB + 1]);
}

/// A large buffer takes over after 64 KiB and holds 256 KiB.
#[test]
fn around_a_large_buffer() {
    hashes_right(&[320 * KIB - 1, 320 * KIB, 320 * KIB + 1, 576 * KIB, 576 * KIB + 1]);
}

/// Above 1 MiB a file is hashed by jobs of its own, above 16 MiB by several.
#[test]
fn around_one_piece() {
    hashes_right(&[MIB - 1, MIB, MIB + 1, 16 * MIB - 1, 16 * MIB, 16 * MIB + 1]);
}

#[test]
fn several_pieces_with_an_odd_end() {
    hashes_right(&[32 * MIB, 32 * MIB + 1, 33 * MIB - 1, 48 * MIB + 1025, 80 * MIB - 1]);
}

/// All workers share it out; its last piece is short.
#[test]
fn a_sparse_file_with_something_at_its_end() {
    let tree = Tree::new();
    let zeros = GIB + 3 * MIB as u64;
    let mut file = tree.sparse("s", zeros);
    file.seek(SeekFrom::End(0)).expect("a file");
    file.write_all(b"end").expect("a file");
    let mut hasher = hasher_of_zeros(zeros);
    hasher.update(b"end");
    tree.run(["s"]).assert_prints(&line(hasher.finalize(), "s"));
}

#[test]
#[ignore = "hashes 20 GiB, half of it on one core: run where seconds do not matter"]
fn a_file_of_ten_gib() {
    let tree = Tree::new();
    tree.sparse("s", 10 * GIB);
    tree.run(["s"]).assert_prints(&line(hasher_of_zeros(10 * GIB).finalize(), "s"));
}

/// What is appended to a large file after it was met is not read.
#[test]
fn a_large_file_that_grows_is_hashed_as_it_was() {
    let tree = Tree::new();
    let mut file = tree.sparse("s", GIB);
    let mut child = tree.command(["s"]).spawn().expect("the program starts");
    wait_until_open(&mut child, &tree.path("s"), 2);
    file.seek(SeekFrom::End(0)).expect("a file");
    file.write_all(b"more").expect("a file");
    let ran: Ran = child.wait_with_output().expect("the program ends").into();
    ran.assert_prints(&line(hasher_of_zeros(GIB).finalize(), "s"));
}

/// A small file is read to where its end is by then: each checksum is that of some moment.
#[test]
fn a_small_file_that_grows_is_hashed_as_it_was_at_some_moment() {
    const APPENDS: usize = 100;
    let tree = Tree::new();
    let whole = content(APPENDS * 997, 1);
    tree.file("log", "");
    let mut log = fs::OpenOptions::new().append(true).open(tree.path("log")).expect("a file");
    let mut child = tree.command(["log"; APPENDS]).spawn().expect("the program starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    // Each line that comes lets the file grow on, until the last: as many lines as there are parts.
    let hashes: Vec<String> = lines
        .zip(whole.chunks(997))
        .map(|(line, part)| {
            log.write_all(part).expect("a file");
            let line = line.expect("a pipe");
            line.strip_suffix("  log").expect("a line of this file").to_owned()
        })
        .collect();
    assert!(child.wait().expect("a child of ours").success());
    assert_eq!(hashes.len(), APPENDS);
    let moments = moments(&whole);
    assert!(hashes.iter().all(|hash| moments.contains(hash)), "{hashes:?}");
}

/// The checksums of all prefixes.
fn moments(whole: &[u8]) -> HashSet<String> {
    let mut hasher = blake3::Hasher::new();
    let mut moments = HashSet::from([hasher.finalize().to_string()]);
    for byte in whole {
        hasher.update(&[*byte]);
        moments.insert(hasher.finalize().to_string());
    }
    moments
}
