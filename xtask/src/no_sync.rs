//! millpond on a monoio without its `sync` feature, where a wake from another thread is the pool's own business.
//!
//! cargo gives a crate every feature that any package of the same build asks of it. So the crate with these tests
//! is built alone, and what it is built with is looked at first: with `sync` its tests would pass and prove nothing.

use crate::step::Outcome;
use crate::suites;
use crate::tree;
use crate::workspace::Workspace;

const PACKAGE: &str = "millpond-no-sync";

/// In the default release profile too, for the reason in [`crate::profile`].
pub(crate) fn both_profiles(workspace: &Workspace) -> Outcome {
    without_sync(workspace)?;
    suites::run(workspace.cargo().words("test --no-fail-fast -p").arg(PACKAGE))?;
    Ok(suites::run(workspace.cargo().words("test --no-fail-fast --release -p").arg(PACKAGE))?)
}

fn without_sync(workspace: &Workspace) -> Result<(), String> {
    for features in tree::features_of(workspace, "monoio", PACKAGE)? {
        println!("monoio has the features {}", features.join(", "));
        if features.iter().any(|feature| feature == "sync") {
            return Err(format!(
                "{PACKAGE} builds monoio with `sync`: something in its dependencies asks for it"
            ));
        }
    }
    Ok(())
}
