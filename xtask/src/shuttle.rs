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

fn run(workspace: &Workspace) -> Outcome {
    Ok(suites::models(workspace, "shuttle", AT_LEAST)?)
}
