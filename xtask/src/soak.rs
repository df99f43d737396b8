//! `cargo xtask soak`: random work for pools, for as long as one likes. And the same under the thread sanitizer.

use crate::command::Command;
use crate::metadata;
use crate::step::{Outcome, Step};
use crate::workspace::{Workspace, sanitizers_are_there};

const PACKAGE: &str = "millpond-soak";

pub(crate) const TSAN: Step = Step {
    name: "tsan",
    holds: "no two threads of a pool under random work race, as far as the thread sanitizer can see",
    run: under_the_thread_sanitizer,
    gate: false,
};

/// Reports that are known to be none, with their reasons.
const SUPPRESSIONS: &str = "xtask/tsan.supp";
/// The sanitizer makes a pool about fifty times slower: some hundred rounds.
const TSAN_MINUTES: &str = "2";
/// The sanitizer keeps a history of its own for each thread that was.
const TSAN_GROWTH_MIB: &str = "4096";

/// Passes `arguments` on to the program. `--debug`, before the others, builds it without optimisation.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    let (profile, arguments) = match arguments {
        ["--debug", rest @ ..] => ("", rest),
        all => ("--release", all),
    };
    let build = |cargo: Command| cargo.words("--package").arg(PACKAGE).words(profile);
    build(workspace.cargo().arg("build")).run()?;
    build(workspace.cargo().words("run --quiet")).arg("--").args(arguments).unlimited().run()
}

/// A seed of its own each time: what is found is told with it.
fn under_the_thread_sanitizer(workspace: &Workspace) -> Outcome {
    sanitizers_are_there()?;
    // The locks of std are compiled without the sanitizer: the second flag lets that be, the third makes ours visible.
    let flags = "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg millpond_tsan";
    let suppressions = workspace.root.join(SUPPRESSIONS);
    let soak = workspace
        .cargo_of("nightly")
        .env("RUSTFLAGS", flags)
        .env("TSAN_OPTIONS", format!("suppressions={}", suppressions.display()))
        .words("run --package")
        .arg(PACKAGE)
        .arg("--target-dir")
        .arg(workspace.target.join("tsan"));
    // With a target named, cargo keeps the flags from build scripts and macros.
    let soak = soak.arg("--target").arg(metadata::host()?).words("-- --minutes").arg(TSAN_MINUTES);
    Ok(soak.words("--growth-mib").arg(TSAN_GROWTH_MIB).run()?)
}
