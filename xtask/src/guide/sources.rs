//! The chapters as they are written: each is in the list, and each piece of Rust comes from a file that tests run.

use std::path::Path;

use crate::workspace::{files, read};

const CHAPTERS: &str = "guide/src";

/// What runs what a chapter shows: the tests of the guide's crate, the step `traps`, and the tests and examples of the crates.
const TESTED: [&str; 5] = [
    "guide/code/",
    "guide/traps/",
    "crates/millpond/",
    "crates/millpond-dashboard/",
    "crates/millpond-nats/",
];

/// What is not as it must be, a line for each fault.
pub(crate) fn faults(root: &Path) -> Result<Vec<String>, String> {
    let summary = read(&root.join(CHAPTERS).join("SUMMARY.md"))?;
    let files = files(&root.join(CHAPTERS), ".md")?;
    let mut faults = unlisted(&summary, &files);
    for file in &files {
        let text = read(&root.join(CHAPTERS).join(file))?;
        let found = pasted(&text).into_iter().chain(lost(&text, |path| source(root, path)));
        faults.extend(found.map(|fault| format!("{CHAPTERS}/{file}:{fault}")));
    }
    faults.extend(never_run(root)?);
    Ok(faults)
}

/// Chapters that the list does not name. Of those that it names and nobody wrote, mdBook itself tells.
fn unlisted(summary: &str, files: &[String]) -> Vec<String> {
    let absent =
        files.iter().filter(|file| *file != "SUMMARY.md" && !summary.contains(&format!("]({file})")));
    absent.map(|file| format!("{CHAPTERS}/SUMMARY.md does not name {file}: nobody would find it")).collect()
}

/// A fenced block: the line of its fence, its language, and its lines.
struct Block<'a> {
    line: usize,
    language: &'a str,
    lines: Vec<&'a str>,
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(fence) = fence(line) else { continue };
        let language = line.trim_start()[fence.len()..].split([',', ' ']).next().unwrap_or_default();
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != fence);
        blocks.push(Block { line: index + 1, language, lines: inside.collect() });
    }
    blocks
}

/// The backticks or tildes that begin a block on this line.
fn fence(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|mark| ['`', '~'].contains(mark))?;
    let length = line.chars().take_while(|next| *next == mark).count();
    (length >= 3).then(|| &line[..length])
}

/// Blocks that hold Rust which no file has, and blocks that do not say what they hold.
fn pasted(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for Block { line, language, lines } in blocks(text) {
        if language.is_empty() {
            faults.push(format!("{line}: the block names no language: `text` is one"));
        }
        let written = lines.iter().find(|line| !line.trim().is_empty() && includes(line).is_empty());
        if let ("rust" | "rs", Some(written)) = (language, written) {
            let written = written.trim();
            faults.push(format!(
                "{line}: Rust is included from a file that a test runs, and not pasted: `{written}`"
            ));
        }
    }
    faults
}

/// What `{{#include path:anchor}}` names.
#[derive(Debug, PartialEq)]
struct Include<'a> {
    path: &'a str,
    anchor: Option<&'a str>,
}

/// All that mdBook would replace in this line.
fn includes(line: &str) -> Vec<Include<'_>> {
    let starts = line.match_indices("{{#").filter(|(at, _)| !line[..*at].ends_with('\\'));
    let inside = starts.filter_map(|(at, mark)| line[at + mark.len()..].split("}}").next());
    let words = inside.filter_map(|inside| inside.split_once(' '));
    words
        .map(|(_, named)| match named.trim().split_once(':') {
            Some((path, anchor)) => Include { path, anchor: Some(anchor) },
            None => Include { path: named.trim(), anchor: None },
        })
        .collect()
}

/// Includes that lead nowhere: mdBook shows nothing in their place, and says nothing.
fn lost(text: &str, source: impl Fn(&str) -> Result<String, String>) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for Include { path, anchor } in includes(line) {
            let found = source(path).and_then(|source| match anchor {
                Some(anchor) => anchored(&source, anchor).map_err(|error| format!("{path} {error}")),
                None => Ok(()),
            });
            faults.extend(found.err().map(|error| format!("{}: {error}", index + 1)));
        }
    }
    faults
}

/// The file that a chapter includes as `path`, if tests run it.
fn source(root: &Path, path: &str) -> Result<String, String> {
    let chapters = root.join(CHAPTERS);
    let file = chapters.join(path).canonicalize().map_err(|_| format!("{path} is not there"))?;
    let root = root.canonicalize().map_err(|error| format!("{} is not there: {error}", root.display()))?;
    let name = file.strip_prefix(&root).map_err(|_| format!("{path} is no file of the project"))?;
    let name = name.to_string_lossy();
    if !TESTED.iter().any(|folder| name.starts_with(folder)) {
        return Err(format!("{path} is in no folder whose programs are run: {}", TESTED.join(", ")));
    }
    read(&file)
}

/// Whether `source` has something between the two marks of `anchor`.
fn anchored(source: &str, anchor: &str) -> Result<(), String> {
    if anchor.starts_with(|first: char| first.is_ascii_digit() || first == ':') {
        return Err(format!("is included by lines, `{anchor}`, which move: give them an anchor"));
    }
    let is = |line: &str, mark: &str| {
        line.split_once(mark).is_some_and(|(_, name)| name.split_whitespace().next() == Some(anchor))
    };
    let mut after = source.lines().skip_while(|line| !is(line, "ANCHOR:"));
    after.next().ok_or_else(|| format!("has no `ANCHOR: {anchor}`"))?;
    let mut inside = 0;
    for line in after {
        if is(line, "ANCHOR_END:") {
            return if inside > 0 { Ok(()) } else { Err(format!("has nothing in `ANCHOR: {anchor}`")) };
        }
        inside += usize::from(!line.trim().is_empty());
    }
    Err(format!("has no `ANCHOR_END: {anchor}`"))
}

/// Whole programs of the guide that no test starts.
fn never_run(root: &Path) -> Result<Vec<String>, String> {
    let mut tests = String::new();
    for file in files(&root.join("guide/code/tests"), ".rs")? {
        tests += &read(&root.join("guide/code/tests").join(file))?;
    }
    let programs = files(&root.join("guide/code/src/bin"), ".rs")?;
    let names = programs.iter().filter_map(|file| file.strip_suffix(".rs"));
    let idle = names.filter(|name| !tests.contains(&format!("\"CARGO_BIN_EXE_{name}\"")));
    Ok(idle
        .map(|name| format!("guide/code/src/bin/{name}.rs is run by no test in guide/code/tests"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_that_the_list_does_not_name_is_a_fault() {
        let files = ["SUMMARY.md", "a.md", "b.md"].map(str::to_owned);
        let faults = unlisted("- [A](a.md)\n", &files);
        assert_eq!(faults, ["guide/src/SUMMARY.md does not name b.md: nobody would find it"]);
        assert!(unlisted("- [A](a.md)\n- [B](b.md)", &files).is_empty());
    }

    #[test]
    fn pasted_rust_is_a_fault_and_included_rust_is_none() {
        let pasted_line = "# A\n\n```rust,ignore\nfn pasted() {}\n```\n";
        let faults = pasted(pasted_line);
        let told = "3: Rust is included from a file that a test runs, and not pasted: `fn pasted() {}`";
        assert_eq!(faults, [told]);
        let included =
            "```rust\n{{#include ../code/tests/a.rs:one}}\n\n{{#include ../code/tests/a.rs:two}}\n```\n";
        assert!(pasted(included).is_empty());
        assert!(pasted("```toml\nmillpond = \"0.1\"\n```\n\n```sh\ncargo run\n```\n").is_empty());
    }

    #[test]
    fn a_block_says_what_it_holds() {
        assert_eq!(pasted("```\nfn pasted() {}\n```\n"), ["1: the block names no language: `text` is one"]);
        let longer = "````text\n```\ninside\n```\n````\n";
        assert!(pasted(longer).is_empty(), "a longer fence holds a shorter one");
    }

    #[test]
    fn an_include_that_leads_nowhere_is_a_fault() {
        let source = |path: &str| match path {
            "a.rs" => Ok("// ANCHOR: one\nlet a;\n// ANCHOR_END: one\n".to_owned()),
            _ => Err(format!("{path} is not there")),
        };
        let lost = |line: &str| lost(line, source);
        assert!(lost("{{#include a.rs:one}}\n{{#include a.rs}}").is_empty());
        assert_eq!(lost("\n{{#include a.rs:two}}"), ["2: a.rs has no `ANCHOR: two`"]);
        assert_eq!(lost("{{#rustdoc_include b.rs:one}}"), ["1: b.rs is not there"]);
        assert!(lost("\\{{#include b.rs}}").is_empty(), "it is escaped, and shown as it stands");
    }

    #[test]
    fn an_anchor_has_both_ends_and_something_between() {
        let source =
            "// ANCHOR: a\n\n// ANCHOR_END: a\n// ANCHOR: b\nlet b;\n// ANCHOR: ab\nx\n// ANCHOR_END: ab\n";
        assert_eq!(anchored(source, "a"), Err("has nothing in `ANCHOR: a`".to_owned()));
        assert_eq!(anchored(source, "b"), Err("has no `ANCHOR_END: b`".to_owned()));
        assert_eq!(anchored(source, "ab"), Ok(()));
        assert!(anchored(source, "2:3").expect_err("lines move").contains("give them an anchor"));
    }
}
