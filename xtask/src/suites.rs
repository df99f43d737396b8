//! The tests that `cargo test` runs, with each set of features that a user can choose.

use crate::command::Command;
use crate::packages;
use crate::step::Outcome;
use crate::workspace::Workspace;

/// Every set of millpond's features but the default one, as arguments. A new feature of its own comes in here.
pub(crate) const FEATURE_SETS: [&str; 5] = [
    "--no-default-features",
    "--no-default-features --features macros",
    "--no-default-features --features sync",
    "--no-default-features --features backtrace",
    "--all-features",
];

/// Unit, integration, compile-fail and doc tests.
pub(crate) fn default_features(workspace: &Workspace) -> Outcome {
    packages::ensure()?;
    Ok(run(workspace.cargo().words("test -p millpond --no-fail-fast"))?)
}

/// Tests that are the same without the default features, or held elsewhere: those of programs, of the macros' words,
/// and of idle pools, which take their time and are at rest on a monoio without `sync` in [`crate::no_sync`]. The doc
/// tests stay out too: the front page's own examples use the macros.
const ONLY_WITH_DEFAULT_FEATURES: [&str; 5] = ["checksum", "compile_fail", "http", "idle", "proxy"];

pub(crate) fn no_features(workspace: &Workspace) -> Outcome {
    let test = workspace.cargo().words("test -p millpond --no-default-features --no-fail-fast --lib");
    Ok(run(tests_but(&ONLY_WITH_DEFAULT_FEATURES, workspace, test)?)?)
}

/// Its own tests, and those of whatever a subscriber is told of.
pub(crate) fn tracing(workspace: &Workspace) -> Outcome {
    let test =
        workspace.cargo().words("test -p millpond --features tracing --no-fail-fast --lib --test tracing");
    let test = test.words("--test foreign_code --test jobs --test odd_places --test shutdown --test wakers");
    Ok(run_some(test, 100)?)
}

/// The backtraces of stalls, beside the rest of what is known of them.
pub(crate) fn backtrace(workspace: &Workspace) -> Outcome {
    let test =
        workspace.cargo().words("test -p millpond --features backtrace --no-fail-fast --lib --test stalls");
    Ok(run_some(test, 75)?)
}

/// `command` with each integration test of millpond as an argument, except these and those that need a feature.
pub(crate) fn tests_but(
    excepted: &[&str],
    workspace: &Workspace,
    command: Command,
) -> Result<Command, String> {
    let tests = workspace.metadata.member("millpond")?.tests().filter(|name| !excepted.contains(name));
    Ok(tests.fold(command, |command, name| command.arg("--test").arg(name)))
}

/// The dashboard's tests on the pool's default driver, those of its server on the other that has sockets too, and what is left
/// without the server.
pub(crate) fn dashboard(workspace: &Workspace) -> Outcome {
    packages::ensure()?;
    let test = || workspace.cargo().words("test -p millpond-dashboard --no-fail-fast");
    run(test())?;
    run(test().words("--test http").env("MILLPOND_TEST_DRIVER", "epoll"))?;
    Ok(run(workspace.cargo().words("test -p millpond-dashboard --no-default-features --lib"))?)
}

/// The example on axum, by its own clients.
pub(crate) fn axum(workspace: &Workspace) -> Outcome {
    packages::ensure()?;
    Ok(run(workspace.cargo().words("test -p millpond-axum-example --no-fail-fast"))?)
}

pub(crate) fn beside_millpond(workspace: &Workspace) -> Outcome {
    Ok(run(workspace.cargo().words("test -p millpond-macros -p xtask --no-fail-fast"))?)
}

/// Runs a `cargo test`, whose error names the tests that failed.
pub(crate) fn run(test: Command) -> Result<(), String> {
    test.run_and_read(failures).map(drop)
}

/// Runs a `cargo test` that picks tests by name, and fails if it ran fewer than `at_least`: cargo itself is content
/// when a name matches none.
pub(crate) fn run_some(test: Command, at_least: usize) -> Result<(), String> {
    let shown = test.shown().to_owned();
    let passed = passed(&test.run_and_read(failures)?);
    if passed < at_least {
        return Err(format!("`{shown}` ran {passed} tests where there must be {at_least}: was one renamed?"));
    }
    Ok(())
}

/// Runs the models for `checker`, whose names have its name in them; at least so many.
///
/// The flag is the project's own: at a plain `loom` several dependencies change too, and no longer build.
///
/// In a target folder of its own: the flag would have everything else built anew. Optimised, as a model runs
/// thousands of times.
pub(crate) fn models(workspace: &Workspace, checker: &str, at_least: usize) -> Result<(), String> {
    let test = workspace
        .cargo()
        .env("RUSTFLAGS", format!("--cfg millpond_{checker} -D warnings"))
        .words("test --release -p millpond --lib");
    run_some(test.arg("--target-dir").arg(workspace.target.join(checker)).arg(checker), at_least)
}

/// A line for each test that failed: its name, where it panicked, and of what. A program that ended in the middle of its tests
/// has told of none but the one that hung.
fn failures(output: &str) -> String {
    let mut failures = String::new();
    let mut lines = output.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if let Some(test) = line.strip_prefix("---- ").and_then(|line| line.strip_suffix(" ----")) {
            failures.push_str(&format!("\n  {test}"));
        } else if let Some((_, place)) = line.split_once(" panicked at ") {
            failures.push_str(&format!(": {place} {}", lines.next().unwrap_or_default()));
        }
    }
    failures
}

/// How many tests passed, by libtest's own summary lines.
fn passed(output: &str) -> usize {
    let summaries = output.lines().filter_map(|line| line.strip_prefix("test result: ok. "));
    summaries.filter_map(|summary| summary.split_once(" passed")?.0.parse::<usize>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_summed_over_the_summaries() {
        let output = "running 2 tests\ntest a ... ok\n\
                      test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 5 filtered out; finished in 0.1s\n\
                      test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 5 filtered out; finished in 0.1s\n\
                      test result: ok. 11 passed; 0 failed; 0 ignored\n";
        assert_eq!(passed(output), 13);
        assert_eq!(passed("running 0 tests\n"), 0);
    }

    #[test]
    fn failures_are_named_with_their_panics() {
        let output = "test a ... FAILED\ntest b ... ok\n\nfailures:\n\n---- a stdout ----\n\n\
                      thread 'a' (7) panicked at tests/a.rs:3:5:\nassertion failed: 1 < 0\nnote: run with\n\n\
                      ---- c stdout ----\nError: \"c\"\n\nfailures:\n    a\n    c\n";
        assert_eq!(failures(output), "\n  a stdout: tests/a.rs:3:5: assertion failed: 1 < 0\n  c stdout");
    }

    #[test]
    fn a_name_that_matches_no_test_is_a_failure() {
        let none = Command::new("echo").arg("test result: ok. 0 passed; 0 failed");
        let error = run_some(none, 1).expect_err("it ran none");
        assert!(error.contains("ran 0 tests where there must be 1"), "{error}");
    }
}
