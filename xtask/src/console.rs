//! That tokio-console shows a pool's tasks: by the crate that a program is shown with, and the one that the console reads with.
//!
//! They are large, and want a flag for all that is built with them. So the crate with the test is built alone, in a target
//! folder of its own.

use crate::command::Command;
use crate::step::Outcome;
use crate::suites;
use crate::workspace::Workspace;

const PACKAGE: &str = "millpond-console";

/// Keeps the package out of what is done to the whole workspace.
pub(crate) const EXCLUDED: &str = "--exclude millpond-console";

/// Without it `console-subscriber` refuses to start: it takes tokio for what is to be shown, and that needs a flag of its own.
const FLAGS: &str = "--cfg console_without_tokio_unstable -D warnings";

pub(crate) fn shows_tasks(workspace: &Workspace) -> Outcome {
    cargo(workspace, "clippy --all-targets").run()?;
    Ok(suites::run_some(cargo(workspace, "test"), 1)?)
}

fn cargo(workspace: &Workspace, verb: &str) -> Command {
    let cargo = workspace.cargo().env("RUSTFLAGS", FLAGS).words(verb);
    cargo.arg("-p").arg(PACKAGE).arg("--target-dir").arg(workspace.target.join("console"))
}
