//! `--check`: b3sum's lines, b3sum's strictness, b3sum's warning.

use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;

use crate::support::{Ran, Tree, first_line, line, name};

const ONE: &str = "checksum: WARNING: 1 computed checksum did NOT match";

#[test]
fn a_list_that_the_program_made_proves_right() {
    let tree = Tree::new();
    for name in ["t/a", "t/two  spaces", "t/back\\slash", "t/new\nline", "t/\u{e4}", "t/BLAKE3 (x) = y"] {
        tree.file(name, name);
    }
    let list = tree.run(["t"]).stdout;
    fs::write(tree.path("sums"), &list).expect("a list");
    let verdicts: String = list
        .lines()
        .map(|line| {
            let (hash, name) = line.split_once("  ").expect("a line of two parts");
            let mark = if hash.starts_with('\\') { "\\" } else { "" };
            format!("{mark}{name}: OK\n")
        })
        .collect();
    tree.run(["--check", "sums"]).assert_prints(&verdicts);
    tree.run(["-c", "sums", "sums"]).assert_prints(&verdicts.repeat(2));
}

#[test]
fn what_does_not_match_is_named_and_counted() {
    let tree = Tree::new();
    let (a, b, c) = (tree.file("a", "a"), tree.file("b", "b"), tree.file("c", "c"));
    tree.file("sums", a + &b + &c);
    tree.file("b", "B");
    tree.run(["--check", "sums"]).assert_fails("a: OK\nb: FAILED\nc: OK\n", &[ONE]);
    tree.file("c", "C");
    let two = "checksum: WARNING: 2 computed checksums did NOT match";
    tree.run(["--check", "sums"]).assert_fails("a: OK\nb: FAILED\nc: FAILED\n", &[two]);
}

#[test]
fn what_cannot_be_read_has_failed_with_a_reason() {
    let tree = Tree::new();
    let a = tree.file("a", "a");
    fs::create_dir(tree.path("d")).expect("a folder");
    tree.file("sums", [&*a, &*a.replace("  a", "  gone"), &*a.replace("  a", "  d")].concat());
    tree.run(["--check", "sums"]).assert_fails(
        "a: OK\ngone: FAILED (No such file or directory (os error 2))\nd: FAILED (Is a directory (os error 21))\n",
        &["checksum: WARNING: 2 computed checksums did NOT match"],
    );
}

#[test]
fn both_forms_of_a_line_and_all_line_ends_are_read() {
    let tree = Tree::new();
    let hash = blake3::hash(b"x");
    for name in ["a", "b) = c", "two  spaces", "new\nline"] {
        tree.file(name, "x");
    }
    let list = format!(
        "{hash}  a\r\nBLAKE3 (a) = {hash}\nBLAKE3 (b) = c) = {hash}\nBLAKE3 (two  spaces) = {hash}\r\n\
         \\BLAKE3 (new\\nline) = {hash}\n{hash}  a"
    );
    tree.file("sums", list);
    tree.run(["--check", "sums"])
        .assert_prints("a: OK\na: OK\nb) = c: OK\ntwo  spaces: OK\n\\new\\nline: OK\na: OK\n");
}

#[test]
fn lines_that_say_nothing_prove_nothing() {
    let tree = Tree::new();
    let a = tree.file("a", "a");
    let hash = &a[..64];
    let with_hash = |name: &str| format!("{hash}  {name}").into_bytes();
    let cases: [(Vec<u8>, &str); 10] = [
        ("".into(), "the line is empty"),
        (b"\xff".into(), "the line is not UTF-8"),
        ("no hash".into(), "neither `hash  name` nor `BLAKE3 (name) = hash`"),
        ("abc  a".into(), "the hash is not 64 hexadecimal digits in lower case"),
        (upper(&a), "the hash is not 64 hexadecimal digits in lower case"),
        (with_hash(""), "the name is empty"),
        (with_hash("a\0"), "the name contains a null character"),
        (with_hash("\u{FFFD}"), "the name contains U+FFFD, which stands for bytes that are not UTF-8"),
        (
            [b"\\", &*with_hash("a\\")].concat(),
            "a backslash in the name is followed by none of `\\`, `n`, `r`",
        ),
        (vec![b'x'; 100_000], "the line is too long for a checksum"),
    ];
    for (line, why) in cases {
        tree.file("sums", [a.as_bytes(), &line, b"\n"].concat());
        let malformed = format!("checksum: sums: line 2: {why}");
        tree.run(["--check", "sums"]).assert_fails("a: OK\n", &[&malformed, ONE]);
    }
}

fn upper(line: &str) -> Vec<u8> {
    let (hash, name) = line.trim_end().split_at(64);
    format!("{}{name}", hash.to_uppercase()).into_bytes()
}

/// What was printed before an error comes before it, where both go to the same place.
#[test]
fn errors_come_in_the_order_of_the_list() {
    let tree = Tree::new();
    let (a, b) = (tree.file("a", "a"), tree.file("b", "b"));
    tree.file("sums", format!("{a}bad\n{b}worse\n"));
    let both = File::create(tree.path("both")).expect("a file");
    let stderr = both.try_clone().expect("a second handle");
    let mut command = tree.command(["--check", "sums"]);
    let status = command.stdout(both).stderr(stderr).status().expect("the program starts");
    assert_eq!(status.code(), Some(1));
    let both = fs::read_to_string(tree.path("both")).expect("a file");
    let starts: Vec<&str> =
        both.lines().take(5).map(|line| line.split(": n").next().unwrap_or(line)).collect();
    let errors = ["checksum: sums: line 2", "checksum: sums: line 4"];
    assert_eq!(
        starts,
        ["a: OK", errors[0], "b: OK", errors[1], "checksum: WARNING: 2 computed checksums did NOT match"]
    );
}

#[test]
fn what_follows_a_line_that_is_too_long_is_checked() {
    let tree = Tree::new();
    let a = tree.file("a", "a");
    tree.file("sums", format!("{}\n{a}", "x".repeat(100_000)));
    let too_long = "checksum: sums: line 1: the line is too long for a checksum";
    tree.run(["--check", "sums"]).assert_fails("a: OK\n", &[too_long, ONE]);
}

#[test]
fn a_list_that_cannot_be_read_is_named_and_the_next_is_checked() {
    let tree = Tree::new();
    let a = tree.file("a", "a");
    tree.file("sums", a);
    let errors = [
        "checksum: gone: No such file or directory (os error 2)",
        "checksum: .: Is a directory (os error 21)",
    ];
    tree.run(["--check", "gone", ".", "sums"]).assert_fails("a: OK\n", &errors);
}

#[test]
fn an_empty_list_is_right() {
    let tree = Tree::new();
    tree.file("sums", "");
    tree.run(["--check", "sums"]).assert_prints("");
    tree.run(["--check"]).assert_prints("");
}

/// The writer of a list may wait for the answer to a line before it writes the next.
#[test]
fn a_list_may_come_line_by_line() {
    let tree = Tree::new();
    let (a, b) = (tree.file("a", "a"), tree.file("b", "b"));
    let mut child = tree.command(["--check", "-"]).stdin(Stdio::piped()).spawn().expect("the program starts");
    let mut list = child.stdin.take().expect("a pipe");
    for (line, verdict) in [(&a, "a: OK\n"), (&b, "b: OK\n")] {
        list.write_all(line.as_bytes()).expect("the program reads");
        assert_eq!(first_line(&mut child), verdict);
    }
    drop(list);
    let ran: Ran = child.wait_with_output().expect("the program ends").into();
    ran.assert_prints("");
}

#[test]
fn a_large_file_and_a_fifo_are_checked_too() {
    let tree = Tree::new();
    let large = tree.file("large", vec![1; 40 << 20]);
    let fifo = tree.fifo("fifo");
    tree.file("sums", large + &line(blake3::hash(b"x"), "fifo"));
    let child = tree.command(["--check", "sums"]).spawn().expect("the program starts");
    // Opened once the program opens the other end.
    fs::write(fifo, "x").expect("a FIFO");
    let ran: Ran = child.wait_with_output().expect("the program ends").into();
    ran.assert_prints("large: OK\nfifo: OK\n");
}

#[test]
fn a_name_that_is_not_utf8_can_be_listed_but_not_checked() {
    let tree = Tree::new();
    tree.file(name(b"t/\xff"), "x");
    let list = tree.run(["t"]).stdout;
    tree.file("sums", list);
    let ran = tree.run(["--check", "sums"]);
    assert_eq!((ran.status, ran.errors.len()), (Some(1), 2), "{:?}", ran.errors);
}
