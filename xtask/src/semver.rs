//! Whether the public face has changed by no more than the versions say.

use crate::command::Command;
use crate::step::{Outcome, Step, Stop};
use crate::tools;
use crate::workspace::Workspace;

/// Knows the JSON of rustdoc that the present stable Rust writes: to be raised with it.
const VERSION: &str = "0.51.0";

/// The libraries. A crate of macros has no types that could be compared: `tests/compile_fail/` holds its arguments.
const LIBRARIES: [&str; 3] = ["millpond", "millpond-dashboard", "millpond-nats"];

pub(crate) const STEP: Step = Step {
    name: "semver",
    holds: "nothing that the newest release has is missing or changed, unless the version says so",
    run: since_the_newest_release,
    gate: false,
};

pub(crate) const HELP: &str = "\
The public faces beside those of an earlier revision: what is missing or has changed.

Usage: cargo xtask semver [REVISION]

Without a revision: beside the newest tag that begins with `v`, which a release sets.";

pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<(), String> {
    let outcome = match arguments {
        [] => since_the_newest_release(workspace),
        ["--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        [revision] if !revision.starts_with('-') => since(workspace, revision),
        _ => Err(Stop::Failed("one revision, or none; `cargo xtask semver --help` tells".to_owned())),
    };
    outcome.or_else(|stop| match stop {
        Stop::Failed(message) => Err(message),
        Stop::NotChecked(reason) => {
            println!("NOT CHECKED HERE: {}, because {reason}", STEP.holds);
            Ok(())
        }
    })
}

fn since_the_newest_release(workspace: &Workspace) -> Outcome {
    let tags = Command::new("git").words("tag --list v* --sort=-v:refname").dir(&workspace.root).text()?;
    match tags.lines().next() {
        Some(newest) => since(workspace, newest),
        None => Err(Stop::NotChecked(
            "no release has been tagged yet; `cargo xtask semver REVISION` compares with any revision"
                .to_owned(),
        )),
    }
}

fn since(workspace: &Workspace, revision: &str) -> Outcome {
    let program = tools::installed(workspace, "cargo-semver-checks", VERSION)?;
    let check = Command::new(program).words("semver-checks --baseline-rev").arg(revision);
    let check = LIBRARIES.iter().fold(check, |check, name| check.arg("-p").arg(name));
    Ok(check.env("CARGO_TARGET_DIR", workspace.target.join("semver")).dir(&workspace.root).run()?)
}
