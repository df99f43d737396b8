//! The promises on every driver, by the same tests: on those that a plain `cargo test` leaves out.

use crate::step::Outcome;
use crate::suites;
use crate::workspace::Workspace;

/// What `tests/common` reads, and the drivers that io_uring is left for.
const VARIABLE: &str = "MILLPOND_TEST_DRIVER";
const DRIVERS: [&str; 2] = ["park", "epoll"];

/// The tests of what a pool does. The others are about the machine, the macros, a program or one driver.
const BEHAVIOUR: [&str; 13] = [
    "executors",
    "foreign_code",
    "foreign_wakes",
    "handles",
    "idle",
    "jobs",
    "odd_places",
    "queue",
    "shutdown",
    "stalls",
    "time",
    "timers",
    "wakers",
];
/// A little less than the tests in them.
const AT_LEAST: usize = 105;

pub(crate) fn behave_alike(workspace: &Workspace) -> Outcome {
    for driver in DRIVERS {
        let test = workspace.cargo().env(VARIABLE, driver).words("test -p millpond --no-fail-fast");
        let test = BEHAVIOUR.iter().fold(test, |test, name| test.arg("--test").arg(name));
        suites::run_some(test, AT_LEAST)?;
    }
    Ok(())
}
