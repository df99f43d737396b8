//! The bench: a workspace of its own, so that what the rivals need never reaches the library's build.

use crate::command::Command;
use crate::step::Outcome;
use crate::workspace::Workspace;

const MANIFEST: &str = "bench/Cargo.toml";

/// All workloads with all contenders take less than half of it on two cores.
const LIMIT_MINUTES: u64 = 120;

/// `cargo xtask bench …`: the bench as its users run it, with their arguments.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> Result<(), String> {
    cargo(workspace, "run --release").arg("--").args(args).limit_minutes(LIMIT_MINUTES).run()
}

/// Every workload with every contender, so small that only the answers count.
pub(crate) fn smoke(workspace: &Workspace) -> Outcome {
    let run = cargo(workspace, "run --profile smoke --features count-allocations");
    Ok(run.words("-- --smoke").run()?)
}

pub(crate) fn formatted(workspace: &Workspace) -> Result<(), String> {
    workspace.cargo().words("fmt --check --manifest-path").arg(MANIFEST).run()
}

pub(crate) fn clippy_is_silent(workspace: &Workspace) -> Result<(), String> {
    let clippy = cargo(workspace, "clippy --profile smoke --all-targets --keep-going");
    clippy.words("--features count-allocations,mimalloc -- -D warnings").run()
}

/// Built in a folder of its own: beside the library, each would throw the other's dependencies away.
fn cargo(workspace: &Workspace, line: &str) -> Command {
    let cargo = workspace.cargo().words(line).arg("--manifest-path").arg(MANIFEST);
    cargo.arg("--target-dir").arg(workspace.target.join("bench"))
}
