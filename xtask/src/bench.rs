//! The bench: a workspace of its own, so that what the rivals need never reaches the library's build.

use std::path::PathBuf;

use crate::command::Command;
use crate::packages;
use crate::step::Outcome;
use crate::workspace::Workspace;

const MANIFEST: &str = "bench/Cargo.toml";

/// A member of the bench's workspace: it needs none of the contenders, and is built without them.
const FLEET: &str = "millpond-fleet";

/// Twice what all workloads with all contenders take on two cores.
const LIMIT_MINUTES: u64 = 60;

/// `cargo xtask bench …`: the bench as its users run it, with their arguments.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> Result<(), String> {
    if let ["fleet", args @ ..] = args {
        return fleet(workspace, args);
    }
    cargo(workspace, "build --release").run()?;
    runner(workspace, "release").args(args).limit_minutes(LIMIT_MINUTES).run()
}

/// `cargo xtask bench fleet …`: the simulated fleet, or what a server spends on a message.
fn fleet(workspace: &Workspace, args: &[&str]) -> Result<(), String> {
    cargo(workspace, "build --release").arg("--package").arg(FLEET).run()?;
    program(workspace, "release", FLEET).args(args).limit_minutes(LIMIT_MINUTES).run()
}

/// What is told of the committed rows is what they have; and every workload with every contender, so small that only the
/// answers count.
pub(crate) fn smoke(workspace: &Workspace) -> Outcome {
    packages::ensure()?;
    cargo(workspace, "test --workspace --profile smoke").run()?;
    cargo(workspace, "build --workspace --profile smoke").run()?;
    let fleet = program(workspace, "smoke", FLEET).words("--report bench/results/fleet/latest.json");
    fleet.words("--page crates/millpond-nats/docs/fleet.md --check").run()?;
    let runner = || runner(workspace, "smoke");
    runner().words("--report bench/results/latest.json --readme README.md --check").run()?;
    Ok(runner().words("--smoke").run()?)
}

pub(crate) fn formatted(workspace: &Workspace) -> Result<(), String> {
    let fmt = || workspace.cargo().words("fmt --check --manifest-path").arg(MANIFEST);
    fmt().run()?;
    fmt().words("--package").arg(FLEET).run()
}

pub(crate) fn clippy_is_silent(workspace: &Workspace) -> Result<(), String> {
    cargo(workspace, "clippy --workspace --profile smoke --all-targets --keep-going")
        .words("-- -D warnings")
        .run()
}

/// Built in a folder of its own: beside the library, each would throw the other's dependencies away.
fn cargo(workspace: &Workspace, line: &str) -> Command {
    let cargo = workspace.cargo().words(line).arg("--manifest-path").arg(MANIFEST);
    cargo.arg("--target-dir").arg(target(workspace))
}

/// The program that starts the others, which `cargo build` puts beside it.
fn runner(workspace: &Workspace, profile: &str) -> Command {
    program(workspace, profile, "millpond-bench")
}

fn program(workspace: &Workspace, profile: &str, name: &str) -> Command {
    Command::new(target(workspace).join(profile).join(name)).dir(&workspace.root)
}

fn target(workspace: &Workspace) -> PathBuf {
    workspace.target.join("bench")
}
