//! The tests of `millpond-nats`, each against a nats-server of its own.

use crate::command::Command;
use crate::packages;
use crate::step::{Outcome, Stop};
use crate::suites;
use crate::workspace::Workspace;

/// With all formats of payloads, and with the default one.
pub(crate) fn passes(workspace: &Workspace) -> Outcome {
    packages::ensure()?;
    let test = || workspace.cargo().words("test -p millpond-nats --no-fail-fast");
    suites::run(test())?;
    Ok(suites::run(test().words("--all-features"))?)
}

/// Where a process may have mounts of its own.
pub(crate) fn survives_a_full_disk(workspace: &Workspace) -> Outcome {
    packages::ensure()?;
    let mount = Command::new("unshare").words("--map-root-user --mount mount -t tmpfs none /mnt");
    mount.run().map_err(|error| Stop::NotChecked(format!("no file system can be mounted: {error}")))?;
    let test = workspace.cargo().words("test -p millpond-nats --test faults");
    Ok(suites::run_some(test.words("-- --ignored a_server_whose_disk_is_full"), 1)?)
}
