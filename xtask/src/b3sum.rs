//! The example `checksum` beside the program whose output it promises.

use std::env;
use std::path::PathBuf;

use crate::step::{Outcome, Stop};
use crate::suites;
use crate::workspace::Workspace;

/// The release that the comparison was written against. A newer one may print differently: move it by hand.
const VERSION: &str = "1.8.7";

pub(crate) fn identical(workspace: &Workspace) -> Outcome {
    let b3sum = match env::var_os("MILLPOND_B3SUM") {
        Some(path) => PathBuf::from(path),
        None => installed(workspace)?,
    };
    let test =
        workspace.cargo().env("MILLPOND_B3SUM", b3sum).words("test --release -p millpond --test checksum");
    Ok(suites::run_some(test.words("-- --ignored identical_to_b3sum"), 1)?)
}

/// Our own b3sum, built once into the target folder.
fn installed(workspace: &Workspace) -> Result<PathBuf, Stop> {
    let tools = workspace.target.join("tools");
    let install = workspace.cargo().words("install b3sum --locked --version").arg(VERSION);
    let install = install.arg("--root").arg(&tools).arg("--target-dir").arg(tools.join("build"));
    install.run().map_err(|error| Stop::NotChecked(format!("there is no b3sum {VERSION}: {error}")))?;
    Ok(tools.join("bin/b3sum"))
}
