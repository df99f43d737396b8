//! The example `checksum` beside the program whose output it promises.

use std::env;
use std::path::PathBuf;

use crate::step::Outcome;
use crate::workspace::Workspace;
use crate::{suites, tools};

/// The release that the comparison was written against. A newer one may print differently: move it by hand.
const VERSION: &str = "1.8.7";

pub(crate) fn identical(workspace: &Workspace) -> Outcome {
    let b3sum = match env::var_os("MILLPOND_B3SUM") {
        Some(path) => PathBuf::from(path),
        None => tools::installed(workspace, "b3sum", VERSION)?,
    };
    let test =
        workspace.cargo().env("MILLPOND_B3SUM", b3sum).words("test --release -p millpond --test checksum");
    Ok(suites::run_some(test.words("-- --ignored identical_to_b3sum"), 1)?)
}
