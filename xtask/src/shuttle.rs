//! Whole pools in random orders of their steps, tried out by shuttle.

use crate::step::{Outcome, Step};
use crate::suites;
use crate::workspace::Workspace;

pub(crate) const STEP: Step = Step {
    name: "shuttle",
    holds: "whole pools keep their promises in the random orders that shuttle tries",
    run,
    gate: false,
};

/// The models there are, and the one that is broken on purpose.
const AT_LEAST: usize = 12;

/// As for [`loom`](crate::loom): a flag of the project's own, a target folder of its own, optimised.
fn run(workspace: &Workspace) -> Outcome {
    let test = workspace
        .cargo()
        .env("RUSTFLAGS", "--cfg millpond_shuttle -D warnings")
        .words("test --release -p millpond --lib");
    let test = test.arg("--target-dir").arg(workspace.target.join("shuttle")).arg("shuttle");
    Ok(suites::run_some(test, AT_LEAST)?)
}
