//! How the program ends before its work is done.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Stdio};

use crate::support::{GIB, Ran, Tree, first_line, interrupt, wait_until_open};

/// Presses Ctrl-C: the process ends with the status for it, and without another word.
#[track_caller]
fn assert_ctrl_c_ends(child: Child) {
    interrupt(&child);
    let output = child.wait_with_output().expect("the program ends");
    assert_eq!(output.status.code(), Some(130));
    let ran = Ran::from(output);
    assert_eq!((ran.stdout.as_str(), ran.errors.as_slice(), ran.table.as_slice()), ("", &[][..], &[][..]));
}

#[test]
fn ctrl_c_in_the_middle_of_a_large_file() {
    let tree = Tree::new();
    tree.sparse("s", 1024 * GIB);
    let mut child = tree.command(["s"]).spawn().expect("the program starts");
    wait_until_open(&mut child, &tree.path("s"), 2);
    assert_ctrl_c_ends(child);
}

#[test]
fn ctrl_c_while_a_fifo_has_no_writer() {
    let tree = Tree::new();
    let a = tree.file("a", "a");
    tree.fifo("fifo");
    let mut child = tree.command(["a", "fifo"]).spawn().expect("the program starts");
    assert_eq!(first_line(&mut child), a);
    assert_ctrl_c_ends(child);
}

#[test]
fn ctrl_c_ends_the_reading_of_a_device_without_end() {
    let tree = Tree::new();
    let mut child = tree.command(["/dev/zero"]).spawn().expect("the program starts");
    wait_until_open(&mut child, Path::new("/dev/zero"), 1);
    assert_ctrl_c_ends(child);
}

/// Nobody reads the output: the pipe is full and the program waits in the midst of a write.
#[test]
fn ctrl_c_while_the_output_is_not_read() {
    let tree = Tree::new();
    for index in 0..1000 {
        tree.file(format!("t/{index:0200}"), "");
    }
    let mut child = tree.command(["t", "t"]).spawn().expect("the program starts");
    first_line(&mut child);
    interrupt(&child);
    assert_eq!(child.wait().expect("a child of ours").code(), Some(130));
}

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let tree = Tree::new();
    tree.file("a", "a");
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    drop(ours);
    let stdout = Stdio::from(OwnedFd::from(theirs));
    let output = tree.command(["a"]).stdout(stdout).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(141));
    assert_eq!(Ran::from(output).errors, [""; 0]);
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let tree = Tree::new();
    tree.file("a", "a");
    let full = File::options().write(true).open("/dev/full").expect("a device");
    let output = tree.command(["a"]).stdout(full).output().expect("the program starts");
    let ran = Ran::from(output);
    ran.assert_fails("", &["checksum: standard output: No space left on device (os error 28)"]);
}

#[test]
fn a_wrong_command_line_is_status_2() {
    let tree = Tree::new();
    for (args, error) in [
        (&["--frobnicate"][..], "checksum: invalid option '--frobnicate'; try --help"),
        (&["--workers", "0", "a"], "number would be zero for non-zero type"),
        (&["--workers"], "missing argument for option '--workers'"),
    ] {
        let ran = tree.run(args);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""));
        assert!(ran.errors.len() == 1 && ran.errors[0].contains(error), "{:?}", ran.errors);
    }
}

#[test]
fn help_is_printed_on_standard_output() {
    let ran = Tree::new().run(["--help"]);
    assert!(ran.stdout.contains("Usage: checksum"), "{}", ran.stdout);
    assert_eq!((ran.status, ran.errors.len()), (Some(0), 0));
}
