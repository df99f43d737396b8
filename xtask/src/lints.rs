//! What the compiler, rustfmt, clippy and rustdoc say of the code.

use crate::bench;
use crate::console::EXCLUDED;
use crate::step::Outcome;
use crate::suites::FEATURE_SETS;
use crate::traps;
use crate::workspace::Workspace;

pub(crate) fn compiles(workspace: &Workspace) -> Outcome {
    Ok(workspace
        .cargo()
        .words("check --workspace")
        .words(EXCLUDED)
        .words("--all-targets --keep-going")
        .run()?)
}

pub(crate) fn formatted(workspace: &Workspace) -> Outcome {
    workspace.cargo().words("fmt --all --check").run()?;
    traps::formatted(workspace)?;
    Ok(bench::formatted(workspace)?)
}

/// The whole workspace, then millpond with each set of features: alone, as its users build it, and with its tests
/// and examples, whose own dependencies lend it features that it must not need; the dashboard without its server; the crate
/// for NATS with all formats of payloads and with none; the guide's traps; and the bench.
pub(crate) fn clippy_is_silent(workspace: &Workspace) -> Outcome {
    workspace
        .cargo()
        .words("clippy --workspace")
        .words(EXCLUDED)
        .words("--all-targets --keep-going -- -D warnings")
        .run()?;
    for features in FEATURE_SETS {
        for targets in ["--lib", "--all-targets"] {
            let clippy =
                workspace.cargo().words("clippy -p millpond --keep-going").arg(targets).words(features);
            clippy.words("-- -D warnings").run()?;
        }
    }
    for some in [
        "-p millpond-dashboard --no-default-features --lib",
        "-p millpond-nats --no-default-features --lib",
        "-p millpond-nats --all-features --all-targets",
    ] {
        workspace.cargo().words("clippy --keep-going").words(some).words("-- -D warnings").run()?;
    }
    traps::clippy_is_silent(workspace)?;
    Ok(bench::clippy_is_silent(workspace)?)
}

/// Once as users see it, and once with the private items, whose pages and links are read as well.
pub(crate) fn documented(workspace: &Workspace) -> Outcome {
    let doc = || workspace.cargo().env("RUSTDOCFLAGS", "-D warnings");
    doc()
        .words("doc --no-deps -p millpond -p millpond-macros -p millpond-dashboard -p millpond-nats")
        .run()?;
    let all = doc().words("doc --no-deps --workspace").words(EXCLUDED);
    Ok(all.words("--all-features --document-private-items").run()?)
}
