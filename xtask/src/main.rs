//! The project's verbs, called as `cargo xtask VERB`.
//!
//! A verb is a list of steps ([`step`]), and a step is a few commands ([`command`]) and what must be true of
//! their output. `test` has them all in its list ([`mod@test`]); the other verbs are single steps that need
//! something which not every machine has. `bench` alone is no step: it measures ([`mod@bench`]).

mod asan;
mod b3sum;
mod bench;
mod cgroup;
mod command;
mod console;
mod deny;
mod docs_rs;
mod drivers;
mod examples;
mod guide;
mod lints;
mod loom;
mod metadata;
mod minimal;
mod miri;
mod msrv;
mod nats;
mod no_sync;
mod packages;
mod profile;
mod publish;
mod readme;
mod release;
mod semver;
mod shown;
mod shuttle;
mod soak;
mod step;
mod suites;
mod test;
mod tools;
mod traps;
mod tree;
mod workspace;

use std::process::ExitCode;

use crate::step::Step;
use crate::workspace::Workspace;

const HELP: &str = "\
The project's verbs.

Usage: cargo xtask VERB

Verbs:
  test             every check, as CI runs them
  test NAME...     only the steps of these names, in the list's order
  test --list      the names of the steps, and what each of them holds true
  loom             the models of the hand-off, the task's states and the queue's close, under loom
  shuttle          whole pools in random orders of their steps, under shuttle
  miri             small pools without I/O, interpreted by Miri; needs a nightly toolchain with `miri` and `rust-src`
  asan             the tests under the address sanitizer, leaks included; needs a nightly toolchain
  bench [ARG...]   millpond beside its rivals; `bench --help` lists the workloads and the contenders
  bench fleet [ARG...]
                   thousands of consumers behind JetStream streams, simulated; `bench fleet --help` has its settings
  guide            the guide, built into the target folder, with its links checked
  soak [--debug] [--minutes N] [--seed S] [--workers W]
                   random work for pools, every job counted; `soak --help` has the rest
  tsan             the same for two minutes under the thread sanitizer; needs a nightly toolchain
  release          what must be true before a version is published, beside `test`; publishes nothing
  release NAME...  only the steps of these names; `release --list` has them
  semver [REVISION]
                   the public faces beside those of the newest tag `v…`, or of a revision
  help             this text

Each step prints its commands as it runs them. All of them run, whatever fails; the end is a table of the steps
with their times, what could not be checked on this machine and why, what failed, and `N passed, N failed`.
The exit status is 0 if nothing failed, 1 if a step failed, 2 if the arguments make no sense.

Environment:
  CARGO_TARGET_DIR    where everything is built, as for cargo itself
  MILLPOND_B3SUM      a b3sum to compare with, in place of the one that the step `b3sum` installs";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let steps = match arguments.as_slice() {
        ["bench", arguments @ ..] => return program(bench::run, arguments),
        []
        | ["help" | "--help" | "-h", ..]
        | ["test" | "loom" | "shuttle" | "miri" | "asan" | "tsan" | "guide" | "release", "--help" | "-h"] => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        ["test", "--list"] => {
            print!("{}", step::list(test::STEPS));
            return ExitCode::SUCCESS;
        }
        ["release", "--list"] => {
            print!("{}", step::list(&release::STEPS));
            return ExitCode::SUCCESS;
        }
        ["semver", arguments @ ..] => return program(semver::run, arguments),
        ["release", names @ ..] => match step::select(&release::STEPS, names) {
            Ok(steps) => steps,
            Err(message) => return misuse(&message),
        },
        ["test", names @ ..] => match step::select(test::STEPS, names) {
            Ok(steps) => steps,
            Err(message) => return misuse(&message),
        },
        ["loom"] => vec![loom::STEP],
        ["shuttle"] => vec![shuttle::STEP],
        ["miri"] => vec![miri::STEP],
        ["asan"] => vec![asan::STEP],
        ["tsan"] => vec![soak::TSAN],
        ["guide"] => vec![guide::STEP],
        ["soak", arguments @ ..] => return program(soak::run, arguments),
        ["loom" | "shuttle" | "miri" | "asan" | "tsan" | "guide", extra, ..] => {
            return misuse(&format!("unexpected argument `{extra}`"));
        }
        [verb, ..] => return misuse(&format!("no verb is called `{verb}`")),
    };
    match Workspace::find() {
        Ok(workspace) => run(&workspace, &steps),
        Err(message) => failure(&message),
    }
}

/// A verb that is no list of steps, and has arguments of its own.
fn program(verb: fn(&Workspace, &[&str]) -> Result<(), String>, arguments: &[&str]) -> ExitCode {
    match Workspace::find().and_then(|workspace| verb(&workspace, arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => failure(&message),
    }
}

fn failure(message: &str) -> ExitCode {
    eprintln!("xtask: {message}");
    ExitCode::FAILURE
}

fn run(workspace: &Workspace, steps: &[Step]) -> ExitCode {
    let report = step::run_all(workspace, steps);
    print!("{report}");
    if report.failed() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn misuse(message: &str) -> ExitCode {
    eprintln!("xtask: {message}; `cargo xtask --help` lists what there is");
    ExitCode::from(2)
}
