//! Pools without I/O in Miri, which interprets each step and finds what no run shows: use after free, data races, pointers
//! that were never allowed.

use crate::step::{Outcome, Step, Stop};
use crate::suites;
use crate::workspace::Workspace;

pub(crate) const STEP: Step =
    Step { name: "miri", holds: "pools without I/O do nothing that Rust leaves undefined", run, gate: false };

/// What to interpret: the unit tests of what needs no kernel, and pools small enough for an interpreter that is a
/// thousand times slower than the machine.
const UNITS: [&str; 1] = ["timers::"];
const AT_LEAST: usize = 9;

fn run(workspace: &Workspace) -> Outcome {
    if workspace.cargo_of("nightly").words("miri --version").text().is_err() {
        return Err(Stop::NotChecked(
            "Miri is not installed; `rustup toolchain install nightly --component miri,rust-src` gets it"
                .to_owned(),
        ));
    }
    // The tests choose their driver by themselves. The rest of the environment stays out: Miri isolates what it runs.
    let miri = || {
        workspace
            .cargo_of("nightly")
            .words("miri test -p millpond --target-dir")
            .arg(workspace.target.join("miri"))
    };
    miri().words("--lib --").args(UNITS).run()?;
    Ok(suites::run_some(miri().words("--test small"), AT_LEAST)?)
}
