//! What cannot be read: named, with the reason, on standard error; everything else is still done.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use crate::support::{GIB, Ran, Tree, first_line, hasher_of_zeros, line, name, program, wait_until_open};

#[test]
fn a_missing_file() {
    let tree = Tree::new();
    let (a, b) = (tree.file("a", "a"), tree.file("b", "b"));
    let error = "checksum: missing: No such file or directory (os error 2)";
    tree.run(["a", "missing", "b"]).assert_fails(&(a + &b), &[error]);
}

#[test]
fn an_error_names_the_file_on_one_line() {
    let tree = Tree::new();
    let error = "checksum: a\\nb\u{FFFD}: No such file or directory (os error 2)";
    tree.run([name(b"a\nb\xff")]).assert_fails("", &[error]);
}

#[test]
fn unreadable_files_and_directories() {
    let tree = Tree::new();
    let open = tree.file("t/open", "open");
    tree.file("t/shut", "shut");
    tree.file("t/shut-dir/f", "f");
    for shut in ["t/shut", "t/shut-dir"] {
        fs::set_permissions(tree.path(shut), Permissions::from_mode(0o000)).expect("permissions");
    }
    let ran: Ran = unprivileged(&tree).arg("t").output().expect("the program starts").into();
    ran.assert_fails(
        &open,
        &[
            "checksum: t/shut: Permission denied (os error 13)",
            "checksum: t/shut-dir: Permission denied (os error 13)",
        ],
    );
}

/// The program as somebody for whom permissions count: for root they do not, so it becomes nobody.
fn unprivileged(tree: &Tree) -> Command {
    if !rustix::process::geteuid().is_root() {
        return tree.command::<&str>([]);
    }
    const NOBODY: u32 = 65534;
    // A copy that nobody can get at, wherever the program itself lies.
    fs::copy(program(), tree.path("program")).expect("a copy of the program");
    fs::set_permissions(tree.path(""), Permissions::from_mode(0o755)).expect("permissions");
    let mut command = Command::new(tree.path("program"));
    command.current_dir(tree.path("")).uid(NOBODY).stdin(Stdio::null());
    command
}

#[test]
fn a_file_whose_read_fails() {
    let tree = Tree::new();
    let a = tree.file("a", "a");
    // Its first page is never mapped.
    let error = "checksum: /proc/self/mem: Input/output error (os error 5)";
    tree.run(["/proc/self/mem", "a"]).assert_fails(&a, &[error]);
}

#[test]
fn broken_links_and_loops_of_links() {
    let tree = Tree::new();
    let good = tree.file("t/f", "f");
    tree.link("nowhere", "t/broken");
    tree.link("loop-b", "t/loop-a");
    tree.link("loop-a", "t/loop-b");
    tree.link("f", "t/good");
    let errors = [
        "checksum: t/broken: No such file or directory (os error 2)",
        "checksum: t/loop-a: Too many levels of symbolic links (os error 40)",
        "checksum: t/loop-b: Too many levels of symbolic links (os error 40)",
    ];
    tree.run(["t"]).assert_fails(&(good.clone() + &good.replace("t/f", "t/good")), &errors);
    tree.run(["t/broken", "t/loop-a", "t/loop-b"]).assert_fails("", &errors);
}

#[test]
fn a_walk_does_not_follow_links_to_directories_and_says_so() {
    let tree = Tree::new();
    let f = tree.file("t/d/f", "f");
    tree.link("..", "t/d/up");
    tree.link("d", "t/side");
    let errors = [
        "checksum: t/d/up: a link to a directory, which a walk does not follow",
        "checksum: t/side: a link to a directory, which a walk does not follow",
    ];
    tree.run(["t"]).assert_fails(&f, &errors);
    // As an argument it is what the user asked for.
    let expected = f.replace("t/d", "t/side");
    tree.run(["t/side"]).assert_fails(
        &expected,
        &["checksum: t/side/up: a link to a directory, which a walk does not follow"],
    );
}

#[test]
fn a_walk_does_not_wait_for_fifos_sockets_and_devices() {
    let tree = Tree::new();
    let f = tree.file("t/f", "f");
    tree.fifo("t/fifo");
    let _socket = UnixListener::bind(tree.path("t/socket")).expect("a socket");
    tree.link("/dev/zero", "t/zero");
    tree.run(["t"]).assert_fails(
        &f,
        &[
            "checksum: t/fifo: a FIFO, which a walk does not read",
            "checksum: t/socket: a socket, which a walk does not read",
            "checksum: t/zero: a device, which a walk does not read",
        ],
    );
}

/// The first line means that the walk has read all names; the pipe is full and the window behind it
/// long before the last ones are opened.
#[test]
fn files_that_vanish_during_the_walk() {
    const FILES: usize = 4000;
    const VANISHING: usize = 100;
    let tree = Tree::new();
    // Long names fill the pipe with few files.
    let names: Vec<String> = (0..FILES).map(|index| format!("t/{index:0200}")).collect();
    let lines: Vec<String> = names.iter().map(|name| tree.file(name, "")).collect();
    let mut child = tree.command(["t"]).spawn().expect("the program starts");
    let first = first_line(&mut child);
    for name in &names[FILES - VANISHING..] {
        fs::remove_file(tree.path(name)).expect("a file");
    }
    let ran: Ran = child.wait_with_output().expect("the program ends").into();
    assert_eq!(first + &ran.stdout, lines[..FILES - VANISHING].concat());
    let error = |name: &String| format!("checksum: {name}: No such file or directory (os error 2)");
    let errors: Vec<String> = names[FILES - VANISHING..].iter().map(error).collect();
    assert_eq!((ran.errors, ran.status), (errors, Some(1)));
}

/// What mapped memory answers with a signal that ends the program.
#[test]
fn a_large_file_that_shrinks_while_it_is_read() {
    let tree = Tree::new();
    let file = tree.sparse("s", 64 * GIB);
    let good = tree.file("z", "z");
    let mut child = tree.command(["s", "z"]).spawn().expect("the program starts");
    wait_until_open(&mut child, &tree.path("s"), 2);
    file.set_len(1).expect("a shorter file");
    let ran: Ran = child.wait_with_output().expect("the program ends").into();
    assert_eq!((ran.stdout, ran.status), (good, Some(1)));
    let [error] = ran.errors.as_slice() else { panic!("one error: {:?}", ran.errors) };
    assert!(error.starts_with("checksum: s: cut to ") && error.ends_with(" while it was read"), "{error}");
}

/// Workers that have it open go on with what they have open; should one come later, it must notice. Never
/// is the checksum that of a mixture.
#[test]
fn a_large_file_that_is_replaced_while_it_is_read() {
    let tree = Tree::new();
    tree.sparse("s", 2 * GIB);
    let expected = line(hasher_of_zeros(2 * GIB).finalize(), "s");
    tree.sparse("other", 2 * GIB).write_all(b"other").expect("a file");
    let mut child = tree.command(["s"]).spawn().expect("the program starts");
    wait_until_open(&mut child, &tree.path("s"), 2);
    fs::rename(tree.path("other"), tree.path("s")).expect("a file");
    let ran: Ran = child.wait_with_output().expect("the program ends").into();
    if ran.status == Some(0) {
        ran.assert_prints(&expected);
    } else {
        ran.assert_fails("", &["checksum: s: replaced by another file while it was read"]);
    }
}
