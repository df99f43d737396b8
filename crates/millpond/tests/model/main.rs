//! Random operations on a pool, beside a plain model of what a pool promises.
//!
//! The model does not foretell the schedule. It says what must hold under every one: each job ran at most once, where it
//! may, and on one thread; its handle told the truth; a queue was full only if it could be; the receipt adds up; and
//! nothing is left alive. A case is a list of operations (`op`), done to a pool one by one (`drive`) by jobs that keep a
//! trace of themselves (`job`, `trace`), and judged when the pool has gone (`check`).
//!
//! A case that fails is made smaller, printed, and its seed is kept in `proptest-regressions/`, to be run first from then
//! on. Commit that file with the mend. `PROPTEST_CASES` sets how many cases are run.

mod check;
#[path = "../common/mod.rs"]
mod common;
mod drive;
mod job;
mod op;
mod sut;
mod trace;

use check::Broken;
use op::Case;
use proptest::test_runner::{
    Config, FileFailurePersistence, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner,
    basic_result_cache,
};
use std::{
    cell::Cell,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};
use sut::Fault;

/// How many cases a run tries. 1,000 take about 3 s in a debug build on two cores.
const CASES: u32 = 1_000;
/// Far longer than a case takes on a busy machine: only a hang gets there. It is a failure like any other, which can be
/// made smaller.
const CASE_LIMIT: Duration = Duration::from_secs(30);
/// Making a case smaller that hangs must end too.
const SHRINK_LIMIT_MS: u32 = 10 * 60 * 1_000;
/// Enough to see what a known fault comes down to; each step is up to [`SHRINK_TRIES`] cases.
const FAULT_SHRINK_STEPS: u32 = 40;
/// How often a smaller case is tried before it passes for good: most faults show under some schedules only.
const SHRINK_TRIES: u32 = 20;

/// Runs one case on a thread of its own, which is left behind if it hangs.
fn run(case: &Case, fault: Fault) -> Result<(), Broken> {
    let (done, is_done) = mpsc::channel();
    let doing = Arc::new(Mutex::new(String::new()));
    let (theirs, says) = (case.clone(), Arc::clone(&doing));
    let thread = thread::spawn(move || {
        let result = drive::run(&theirs, fault, &|what| *says.lock().expect("nobody panics with it") = what);
        // The test has given up waiting if it has gone.
        let _ = done.send(result);
    });
    // Ended by the case, by its panic, which drops the sender, or by the limit.
    match is_done.recv_timeout(CASE_LIMIT) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(Broken(format!("the case panicked: {:?}", thread.join().map_err(|payload| text(&payload)))))
        }
        Err(mpsc::RecvTimeoutError::Timeout) => {
            Err(Broken(format!("hangs in {}", doing.lock().expect("nobody panics with it"))))
        }
    }
}

fn text(payload: &Box<dyn std::any::Any + Send>) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default()
}

fn config() -> Config {
    Config {
        max_shrink_time: SHRINK_LIMIT_MS,
        // What has failed once counts as failing when the shrinking comes back to it: it may pass the next time.
        result_cache: basic_result_cache,
        ..Config::default()
    }
}

/// Tries cases until one breaks a promise, for a reason that `counts`.
fn try_cases(
    runner: &mut TestRunner,
    fault: Fault,
    counts: impl Fn(&str) -> bool,
) -> Result<(), TestError<Case>> {
    let shrinking = Cell::new(false);
    runner.run(&op::case(), |case| {
        let tries = if shrinking.get() { SHRINK_TRIES } else { 1 };
        for _ in 0..tries {
            match run(&case, fault) {
                Err(Broken(what)) if counts(&what) => {
                    shrinking.set(true);
                    return Err(TestCaseError::fail(what));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(())
    })
}

#[test]
fn a_pool_keeps_its_promises_whatever_is_done_to_it() {
    let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/model.txt");
    let mut runner = TestRunner::new(Config {
        // `PROPTEST_CASES` wins, for a longer run.
        cases: if std::env::var_os("PROPTEST_CASES").is_some() { Config::default().cases } else { CASES },
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
        ..config()
    });
    if let Err(error) = try_cases(&mut runner, Fault::None, |_| true) {
        panic!("{error}\n{runner}");
    }
}

/// A pool with the fault must be found out for that reason.
fn catches(fault: Fault, reason: &str) {
    let config = Config { failure_persistence: None, max_shrink_iters: FAULT_SHRINK_STEPS, ..config() };
    // The same cases each time: whether the fault shows should not hang on luck.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let found = try_cases(&mut runner, fault, |what| what.contains(reason));
    let Err(TestError::Fail(_, case)) = found else {
        panic!("a pool with the fault {fault:?} was not caught: {found:?}");
    };
    println!("{fault:?} comes down to {case:?}");
}

/// Most faults come down to one to ten operations; how far this one does is not left to the schedule.
#[test]
fn a_case_that_fails_is_made_small() {
    let fault = |case: Case| {
        let few = case.ops.iter().filter(|op| matches!(op, op::Op::Broadcast(_))).count() < 2;
        if few { Ok(()) } else { Err(TestCaseError::fail("two broadcasts")) }
    };
    let config = Config { failure_persistence: None, ..config() };
    match TestRunner::new(config).run(&op::case(), fault) {
        Err(TestError::Fail(_, case)) => assert_eq!((case.ops.len(), case.workers), (2, 1), "{case:?}"),
        other => panic!("no case has two broadcasts: {other:?}"),
    }
}

macro_rules! faults {
    ($($name:ident: $fault:ident, $reason:literal;)*) => {$(
        #[test]
        fn $name() {
            catches(Fault::$fault, $reason);
        }
    )*};
}

faults! {
    the_checks_catch_a_job_that_runs_twice: RunsTwice, "it ran more than once";
    the_checks_catch_a_job_that_is_lost: Loses, "a value that it had not returned";
    the_checks_catch_an_aborted_job_that_runs: RunsWhatWasAborted, "says that it had not started, and it ran";
    the_checks_catch_a_key_on_two_workers: ForgetsKeys, "fell to two workers";
    the_checks_catch_a_key_out_of_order: ReordersKeys, "started out of order";
    the_checks_catch_a_queue_that_is_full_too_soon: IsFullTooSoon, "found a queue full that cannot be";
    the_checks_catch_a_queue_that_is_never_full: IsNeverFull, "took a job into a full queue";
    the_checks_catch_a_late_comer_served_first: ServesLateComersFirst, "served one that came later first";
    the_checks_catch_a_changed_value: ChangesValues, "another value";
    the_checks_catch_a_future_that_is_kept: KeepsFutures, "still alive";
    the_checks_catch_a_future_dropped_elsewhere: DropsElsewhere, "dropped on another thread";
    the_checks_catch_a_wrong_receipt: Miscounts, "the receipt";
}
