//! What `deny.toml` allows to be built: by licence, by known holes, and by where it comes from.

use std::path::PathBuf;

use crate::command::Command;
use crate::step::{Outcome, Step, Stop};
use crate::tools;
use crate::workspace::Workspace;

/// The release that `deny.toml` was written for.
const VERSION: &str = "0.20.2";

pub(crate) const STEP: Step = Step {
    name: "deny",
    holds: "every dependency has an allowed licence and comes from crates.io",
    run: licences_and_sources,
    gate: false,
};

/// A step of its own: the rest can be told without the network.
pub(crate) const ADVISORIES: Step = Step {
    name: "advisories",
    holds: "no dependency has a known hole, is unmaintained or withdrawn",
    run: advisories,
    gate: false,
};

fn licences_and_sources(workspace: &Workspace) -> Outcome {
    Ok(cargo_deny(workspace)?.words("check --hide-inclusion-graph licenses bans sources").run()?)
}

/// The database is a git repository on GitHub, which not every machine reaches.
fn advisories(workspace: &Workspace) -> Outcome {
    cargo_deny(workspace)?.words("fetch db").run().map_err(|error| {
        Stop::NotChecked(format!("the database of advisories could not be fetched: {error}"))
    })?;
    Ok(cargo_deny(workspace)?.words("check advisories").run()?)
}

fn cargo_deny(workspace: &Workspace) -> Result<Command, Stop> {
    let program: PathBuf = tools::installed(workspace, "cargo-deny", VERSION)?;
    Ok(Command::new(program).dir(&workspace.root))
}
