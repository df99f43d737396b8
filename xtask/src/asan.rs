//! The tests under the address sanitizer: use after free, overflow, and what is still allocated at the end.

use crate::metadata;
use crate::step::{Outcome, Step};
use crate::suites;
use crate::workspace::{Workspace, sanitizers_are_there};

pub(crate) const STEP: Step = Step {
    name: "asan",
    holds: "no test of the core touches memory that is not its own, or leaks any",
    run,
    gate: false,
};

/// Tests that mean nothing here. `compile_fail` holds the compiler to its words, of which a nightly one has others. The
/// rest measure memory, and the sanitizer keeps what was freed, to catch its use.
const EXCEPTED: [&str; 6] = ["checksum", "compile_fail", "http", "idle", "leaks", "proxy"];

/// A single test that does, among others that do not.
const MEASURES_MEMORY: &str = "an_emptied_channel_gives_the_memory_of_a_burst_back";

/// A single test that ends in a process with few system calls allowed: the leak checker needs others to look about at the
/// end, and waits for ever for its helper that was killed at the first.
const FORBIDS_SYSTEM_CALLS: &str = "a_pool_without_io_needs_threads_and_locks_only";

/// Leaks that are known, with their reasons, for the leak checker to pass over.
const SUPPRESSIONS: &str = "xtask/lsan.supp";

fn run(workspace: &Workspace) -> Outcome {
    sanitizers_are_there()?;
    let test = workspace
        .cargo_of("nightly")
        .env("RUSTFLAGS", "-Zsanitizer=address")
        .env("ASAN_OPTIONS", "detect_leaks=1")
        .env("LSAN_OPTIONS", format!("suppressions={}", workspace.root.join(SUPPRESSIONS).display()));
    // With a target named, cargo keeps the flag from build scripts and macros.
    let test = test.words("test -p millpond --lib --no-fail-fast --target").arg(metadata::host()?);
    let test = suites::tests_but(&EXCEPTED, workspace, test)?;
    let test = test.arg("--target-dir").arg(workspace.target.join("asan"));
    let test = test.words("-- --skip").arg(MEASURES_MEMORY).arg("--skip").arg(FORBIDS_SYSTEM_CALLS);
    Ok(suites::run(test)?)
}
