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

fn run(workspace: &Workspace) -> Outcome {
    Ok(suites::models(workspace, "loom", 1)?)
}
