//! A clock for shuttle, which knows no time: its timed waits never end by themselves, and a real clock would make runs that
//! cannot be repeated. Here the clock moves when it is read, and to the end of each timed wait.

use super::{Condvar, Mutex, MutexGuard, thread};
use std::{
    cell::Cell,
    sync::LazyLock,
    time::{Duration, Instant},
};

/// Coarse, so that a loop which looks again for a while before it sleeps does so a few times and not for long.
const READING_US: u64 = 10;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

std::thread_local! {
    /// Since the start. One for all threads of a model, which shuttle runs on one thread of the system. Never set back:
    /// only differences count, so one run does not feel what came before it.
    static PASSED_US: Cell<u64> = const { Cell::new(0) };
}

fn pass(us: u64) -> Instant {
    let passed = PASSED_US.get() + us;
    PASSED_US.set(passed);
    *START + Duration::from_micros(passed)
}

pub(crate) fn now() -> Instant {
    pass(READING_US)
}

/// The others may do any of their steps meanwhile, or none.
pub(crate) fn wait_timeout<'a, T>(
    mutex: &'a Mutex<T>,
    _changed: &Condvar,
    guard: MutexGuard<'a, T>,
    limit: Duration,
) -> MutexGuard<'a, T> {
    drop(guard);
    thread::yield_now();
    pass(limit.as_micros() as u64 + 1);
    super::lock(mutex)
}
