//! `cargo xtask test`: the list of all that must be true, cheap things first.

use crate::step::{Outcome, Step};
use crate::workspace::Workspace;
use crate::{
    b3sum, bench, cgroup, console, drivers, examples, guide, lints, loom, msrv, nats, no_sync, profile,
    publish, suites, traps, tree,
};

/// Steps that build alike stand together, and share what is built.
pub(crate) const STEPS: &[Step] = &[
    Step { gate: true, ..step("check", "the workspace compiles", lints::compiles) },
    step("fmt", "the code is formatted", lints::formatted),
    publish::CONTENTS,
    step("profile", "the release profile is cargo's own", profile::is_default),
    step("light", "the core brings no heavy crate along", tree::core_is_light),
    step("msrv", "no dependency says that it needs a newer Rust than each crate does", msrv::stated),
    step("msrv-build", "the oldest Rust that each crate names builds it", msrv::builds),
    step("clippy", "clippy is silent, whatever the features", lints::clippy_is_silent),
    step("doc", "rustdoc is silent, for users and for contributors", lints::documented),
    guide::STEP,
    step("unit", "the tests of the macros and of xtask pass", suites::beside_millpond),
    step("test", "millpond's unit, integration, compile-fail and doc tests pass", suites::default_features),
    step(
        "dashboard",
        "the dashboard serves, shows what the pool says, and is well to use",
        suites::dashboard,
    ),
    step("axum", "an axum server's files are a pool's, whatever its clients do", suites::axum),
    step("nats", "a pool's jobs come from JetStream, whatever happens to its server", nats::passes),
    step("nats-disk", "a server whose disk is full keeps what it has confirmed", nats::survives_a_full_disk),
    step("drivers", "pools on epoll and without I/O keep the same promises", drivers::behave_alike),
    step("cgroup", "a cgroup's quota sets the number of workers", cgroup::quota_is_respected),
    step(
        "tracing",
        "with the feature `tracing` each job has a span, and keeps its promises",
        suites::tracing,
    ),
    step("no-features", "millpond's tests pass without its default features", suites::no_features),
    step("backtrace", "with the feature `backtrace` a stall says where its thread was", suites::backtrace),
    step("no-sync", "jobs are woken on a monoio that was built without `sync`", no_sync::both_profiles),
    step(
        "release",
        "wakers equal their clones and idle pools rest in the default release profile",
        profile::wakers_and_idle,
    ),
    step("examples", "each example does and prints what it promises", examples::all),
    step("guide-code", "what the guide shows runs, and prints what it says", guide::code_runs),
    step("console", "tokio-console shows a pool's tasks", console::shows_tasks),
    step("bench", "every contender of the bench runs, and answers rightly", bench::smoke),
    step("traps", "the guide's traps are there on plain monoio, and gone on millpond", traps::are_gone),
    step("b3sum", "the checksum example prints what b3sum prints", b3sum::identical),
    loom::STEP,
];

const fn step(name: &'static str, holds: &'static str, run: fn(&Workspace) -> Outcome) -> Step {
    Step { name, holds, run, gate: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::select;

    #[test]
    fn a_step_is_found_by_its_name() {
        assert_eq!(select(STEPS, &[]).expect("no name is no wrong name").len(), STEPS.len());
        let error = select(STEPS, &["fmt", "lint"]).expect_err("there is no `lint`");
        assert!(error.starts_with("no step is called `lint`; there are check, fmt, "), "{error}");
    }

    #[test]
    fn no_two_steps_share_a_name() {
        let mut sorted: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), STEPS.len());
    }
}
