//! Names and order: exactly what b3sum prints.

use crate::support::{Tree, content, line, name};

#[test]
fn a_file_is_one_line() {
    let tree = Tree::new();
    let expected = tree.file("a", "content");
    tree.run(["a"]).assert_prints(&expected);
}

#[test]
fn files_come_in_the_order_of_the_arguments() {
    let tree = Tree::new();
    let (a, b, c) = (tree.file("a", "1"), tree.file("b", content(2_000_000, 2)), tree.file("c", ""));
    tree.run(["c", "b", "a", "b", "./a"])
        .assert_prints(&[c, b.clone(), a.clone(), b, a.replace("  a", "  ./a")].concat());
}

#[test]
fn a_walk_comes_in_the_order_of_the_bytes_of_its_paths() {
    let tree = Tree::new();
    // As whole paths compare: `-` and `.` come before `/`, digits and letters after it.
    let names = ["t/B", "t/a-b", "t/a.b", "t/a/z/0", "t/a/z0", "t/a0", "t/b", "t/\u{e4}"];
    let expected: String = names.iter().map(|name| tree.file(name, name)).collect();
    std::fs::create_dir(tree.path("t/empty")).expect("a folder");
    tree.run(["t"]).assert_prints(&expected);
    tree.run(["t/"]).assert_prints(&expected);
    tree.run(["."]).assert_prints(&expected.replace("  t/", "  ./t/"));
}

#[test]
fn directories_and_files_may_be_mixed() {
    let tree = Tree::new();
    let (first, walked, last) = (tree.file("z", "z"), tree.file("d/f", "f"), tree.file("a", "a"));
    tree.run(["z", "d", "a"]).assert_prints(&[first, walked, last].concat());
}

#[test]
fn names_are_escaped_as_b3sum_does() {
    let tree = Tree::new();
    let hash = blake3::hash(b"x");
    let cases: &[(&[u8], &str)] = &[
        (b"back\\slash", "back\\\\slash"),
        (b"carriage\rreturn", "carriage\\rreturn"),
        (b"new\nline\n", "new\\nline\\n"),
    ];
    for (raw, escaped) in cases {
        tree.file(name(raw), "x");
        tree.run([name(raw)]).assert_prints(&format!("\\{}", line(hash, escaped)));
    }
}

#[test]
fn other_names_are_printed_as_they_are() {
    let tree = Tree::new();
    let names = [" ", "  two  spaces  ", "\t", "*", "-x", "\u{1F980}\u{fc}", "BLAKE3 (x) = y"];
    let mut names = names.map(|name| format!("./{name}"));
    names.sort_unstable();
    let expected: String = names.iter().map(|name| tree.file(name, name)).collect();
    tree.run(names).assert_prints(&expected);
    tree.run(["."]).assert_prints(&expected);
}

#[test]
fn what_is_not_utf8_becomes_a_replacement_character() {
    let tree = Tree::new();
    let raw = name(b"caf\xe9\xff\n");
    tree.file(raw, "x");
    let expected = format!("\\{}", line(blake3::hash(b"x"), "caf\u{FFFD}\u{FFFD}\\n"));
    tree.run([raw]).assert_prints(&expected);
    tree.run(["."]).assert_prints(&expected.replace("  ", "  ./"));
}

#[test]
fn a_name_after_two_dashes_is_a_name() {
    let tree = Tree::new();
    let expected = tree.file("--check", "x");
    tree.run(["--", "--check"]).assert_prints(&expected);
}

#[test]
fn the_table_adds_up() {
    let tree = Tree::new();
    for index in 0..100 {
        tree.file(format!("t/{index}"), [b'x'; 1024]);
    }
    let ran = tree.run(["--workers", "3", "t"]);
    assert_eq!(ran.table.len(), 5, "a head, three workers and a sum: {:?}", ran.table);
    let files = |line: &String| line.split_whitespace().nth(1).and_then(|files| files.parse::<u64>().ok());
    let of_workers: Option<u64> = ran.table[1..4].iter().map(files).sum();
    assert_eq!(of_workers, Some(100));
    assert!(ran.table[1..4].iter().all(|line| line.ends_with(" %")), "a busy share each: {:?}", ran.table);
    let sum: Vec<&str> = ran.table[4].split_whitespace().skip(2).collect();
    assert_eq!(sum, ["100", "100.00", "KiB"]);
}
