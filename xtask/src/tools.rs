//! Programs that steps need and crates.io has.

use std::path::PathBuf;

use crate::step::Stop;
use crate::workspace::Workspace;

/// The largest of them builds for a quarter of an hour on two busy cores.
const LIMIT_MINUTES: u64 = 60;

/// The program of this name and version, built once into the target folder.
pub(crate) fn installed(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf, Stop> {
    installed_with(workspace, name, version, "")
}

/// As [`installed`], with these words more for `cargo install`.
pub(crate) fn installed_with(
    workspace: &Workspace,
    name: &str,
    version: &str,
    words: &str,
) -> Result<PathBuf, Stop> {
    let tools = workspace.target.join("tools");
    let install = workspace.cargo().arg("install").arg(name).words("--locked --version").arg(version);
    let install = install.words(words);
    let install = install.arg("--root").arg(&tools).arg("--target-dir").arg(tools.join("build"));
    install
        .limit_minutes(LIMIT_MINUTES)
        .run()
        .map_err(|error| Stop::NotChecked(format!("there is no {name} {version}: {error}")))?;
    Ok(tools.join("bin").join(name))
}
