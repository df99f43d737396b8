//! The models: each order of steps that the memory model allows, tried out by loom.

use crate::step::{Outcome, Step};
use crate::suites;
use crate::workspace::Workspace;

pub(crate) const STEP: Step = Step {
    name: "loom",
    holds: "the models of the hand-off, the task's states, the channel and the queue's close hold in every order that loom tries",
    run,
    gate: false,
};

/// The flag is the project's own: at a plain `loom` several dependencies change too, and no longer build.
///
/// In a target folder of its own: the flag would have everything else built anew. Optimised, as a model runs
/// thousands of times.
fn run(workspace: &Workspace) -> Outcome {
    let test = workspace
        .cargo()
        .env("RUSTFLAGS", "--cfg millpond_loom -D warnings")
        .words("test --release -p millpond --lib");
    Ok(suites::run_some(test.arg("--target-dir").arg(workspace.target.join("loom")).arg("loom"), 1)?)
}
