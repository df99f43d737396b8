//! The guide's traps: programs that see each on plain monoio and flume, and their twins on millpond, which do not.
//!
//! They are a workspace of their own, whose members are built one by one: beside another crate monoio would have the feature
//! `sync`. In the release profile as it comes, since one of the traps is in that only.

use std::path::{Path, PathBuf};

use crate::command::Command;
use crate::step::Outcome;
use crate::workspace::{Workspace, files};

const MANIFEST: &str = "guide/traps/Cargo.toml";

/// Those that see the traps.
const PLAIN: [&str; 2] = ["without-sync", "with-sync"];
const MILLPOND: &str = "on-millpond";

/// No trap: the chapter's program before and after, which print the same.
const BEFORE_AND_AFTER: &str = "line_count";

/// Two of the traps are not met in each run: one in three of four, and one, by the luck of a hash, in nine of ten. That none of
/// ten runs meets it is no luck.
const MOST_RUNS: usize = 10;

pub(crate) fn are_gone(workspace: &Workspace) -> Outcome {
    let traps = paired(&workspace.root)?;
    let mut printed = Vec::new();
    let mut faults = Vec::new();
    for package in PLAIN.into_iter().chain([MILLPOND]) {
        cargo(workspace, "build --release").arg("--package").arg(name(package)).run()?;
        let most_runs = if package == MILLPOND { 1 } else { MOST_RUNS };
        for program in programs(&workspace.root, package)? {
            if program == BEFORE_AND_AFTER {
                printed.push(line_count(workspace)?);
            } else if let Err(error) = seen(workspace, &program, most_runs) {
                faults.push(format!("{package}: {error}"));
            }
        }
    }
    if printed.len() != 2 || printed[0] != printed[1] {
        faults.push(format!("{BEFORE_AND_AFTER} prints one thing before and another after: {printed:?}"));
    }
    println!("{} traps, each with its twin on millpond", traps.len());
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ").into()) }
}

/// Runs `program`, again and again until it ends with status 0.
fn seen(workspace: &Workspace, program: &str, most_runs: usize) -> Result<(), String> {
    let run = || binary(workspace, program).env("RUST_BACKTRACE", "0").limit_minutes(1).run();
    let mut last = run();
    for _ in 1..most_runs {
        if last.is_ok() {
            break;
        }
        last = run();
    }
    last.map_err(|error| format!("{error}, {most_runs} times of {most_runs}"))
}

/// What it prints of its own source, and the manifest.
fn line_count(workspace: &Workspace) -> Result<String, String> {
    let files =
        ["Cargo.toml", "with-sync/src/bin/line_count.rs"].map(|file| folder(&workspace.root).join(file));
    let printed = binary(workspace, BEFORE_AND_AFTER).args(files).text()?;
    if printed.lines().count() == 2 {
        Ok(printed)
    } else {
        Err(format!("{BEFORE_AND_AFTER} printed {printed}"))
    }
}

/// The names of the traps. Each has its twin, and each twin its trap.
fn paired(root: &Path) -> Result<Vec<String>, String> {
    let mut traps = Vec::new();
    for package in PLAIN {
        traps.extend(programs(root, package)?);
    }
    traps.sort_unstable();
    let twins = programs(root, MILLPOND)?;
    match unpaired(&traps, &twins) {
        Some(alone) => {
            Err(format!("guide/traps has {alone} only on one side: beside plain monoio, or on millpond"))
        }
        None => Ok(traps.into_iter().filter(|name| name != BEFORE_AND_AFTER).collect()),
    }
}

/// A name that is not in both.
fn unpaired<'a>(traps: &'a [String], twins: &'a [String]) -> Option<&'a String> {
    let without_trap = twins.iter().filter(|twin| !traps.contains(twin));
    traps.iter().filter(|trap| !twins.contains(trap)).chain(without_trap).next()
}

/// The programs of one of the packages, in order.
fn programs(root: &Path, package: &str) -> Result<Vec<String>, String> {
    let names = files(&folder(root).join(package).join("src/bin"), ".rs")?;
    Ok(names.iter().filter_map(|name| Some(name.strip_suffix(".rs")?.to_owned())).collect())
}

pub(crate) fn formatted(workspace: &Workspace) -> Result<(), String> {
    workspace.cargo().words("fmt --all --check --manifest-path").arg(MANIFEST).run()
}

pub(crate) fn clippy_is_silent(workspace: &Workspace) -> Result<(), String> {
    for package in PLAIN.into_iter().chain([MILLPOND]) {
        let clippy =
            cargo(workspace, "clippy --all-targets --keep-going").arg("--package").arg(name(package));
        clippy.words("-- -D warnings").run()?;
    }
    Ok(())
}

fn folder(root: &Path) -> PathBuf {
    root.join("guide/traps")
}

fn name(package: &str) -> String {
    format!("traps-{package}")
}

/// In a folder of its own: a program and its twin have the same name, and so has a crate of the library's build.
fn cargo(workspace: &Workspace, line: &str) -> Command {
    let cargo = workspace.cargo().words(line).arg("--manifest-path").arg(MANIFEST);
    cargo.arg("--target-dir").arg(target(workspace))
}

/// A program of the package that was built last.
fn binary(workspace: &Workspace, program: &str) -> Command {
    Command::new(target(workspace).join("release").join(program))
}

fn target(workspace: &Workspace) -> PathBuf {
    workspace.target.join("traps")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trap_without_a_twin_is_named_and_so_is_a_twin_without_a_trap() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(unpaired(&names(&["a", "b"]), &names(&["a"])), Some(&"b".to_owned()));
        assert_eq!(unpaired(&names(&["a"]), &names(&["a", "c"])), Some(&"c".to_owned()));
        assert_eq!(unpaired(&names(&["a", "b"]), &names(&["b", "a"])), None);
    }
}
