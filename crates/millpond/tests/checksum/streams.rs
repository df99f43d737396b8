//! Standard input, FIFOs and devices: read to their end, off the workers.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::Stdio;

use crate::support::{Ran, Tree, content, line};

fn run_with_input(tree: &Tree, args: &[&str], input: &[u8]) -> Ran {
    let mut child = tree.command(args).stdin(Stdio::piped()).spawn().expect("the program starts");
    child.stdin.take().expect("a pipe").write_all(input).expect("the program reads");
    child.wait_with_output().expect("the program ends").into()
}

#[test]
fn without_a_path_standard_input_is_read() {
    let tree = Tree::new();
    let input = content(3_000_001, 1);
    let expected = line(blake3::hash(&input), "-");
    run_with_input(&tree, &[], &input).assert_prints(&expected);
    run_with_input(&tree, &["-"], &input).assert_prints(&expected);
    tree.run::<&str>([]).assert_prints(&line(blake3::hash(b""), "-"));
}

#[test]
fn a_dash_takes_its_place_among_files_and_a_second_one_finds_nothing() {
    let tree = Tree::new();
    let (a, b) = (tree.file("a", "a"), tree.file("b", "b"));
    let (full, empty) = (line(blake3::hash(b"input"), "-"), line(blake3::hash(b""), "-"));
    run_with_input(&tree, &["a", "-", "b", "-"], b"input").assert_prints(&[a, full, b, empty].concat());
}

#[test]
fn what_is_read_off_the_workers_has_a_line_in_the_table() {
    let tree = Tree::new();
    let ran = run_with_input(&tree, &[], b"input");
    let of_streams = ran.table.iter().find(|line| line.starts_with("no worker "));
    let counted: Vec<&str> = of_streams.expect("a line").split_whitespace().skip(2).collect();
    assert_eq!(counted, ["1", "5", "B"]);
}

#[test]
fn a_fifo_is_read_until_its_writer_closes_it() {
    let tree = Tree::new();
    let fifo = tree.fifo("fifo");
    let a = tree.file("a", "a");
    let child = tree.command(["fifo", "a"]).spawn().expect("the program starts");
    // Opened once the program opens the other end.
    let mut writer = OpenOptions::new().write(true).open(fifo).expect("a FIFO");
    let input = content(200_000, 1);
    writer.write_all(&input).expect("the program reads");
    drop(writer);
    let ran: Ran = child.wait_with_output().expect("the program ends").into();
    ran.assert_prints(&(line(blake3::hash(&input), "fifo") + &a));
}

#[test]
fn devices_are_read() {
    let tree = Tree::new();
    tree.run(["/dev/null"]).assert_prints(&line(blake3::hash(b""), "/dev/null"));
}

#[test]
fn a_socket_cannot_be_opened() {
    let tree = Tree::new();
    let _socket = std::os::unix::net::UnixListener::bind(tree.path("socket")).expect("a socket");
    tree.run(["socket"]).assert_fails("", &["checksum: socket: No such device or address (os error 6)"]);
}

/// The kernel's own files have no size, and not every driver can read them without waiting.
#[test]
fn files_of_the_kernel_are_read_to_their_end() {
    let tree = Tree::new();
    let content = fs::read("/proc/version").expect("a file of the kernel");
    tree.run(["/proc/version"]).assert_prints(&line(blake3::hash(&content), "/proc/version"));
}
