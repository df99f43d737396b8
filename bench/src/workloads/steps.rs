//! Computing by steps: a fixed amount of work, whatever happens to its thread meanwhile.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Where the chain begins.
const START: u64 = 0x6d69_6c6c_706f_6e64;

/// Keeps a CPU busy for a fixed amount of work, and returns what came of it. A job that looks at the clock instead would be
/// done all the sooner where its thread loses the CPU for a while, and hide that.
pub(super) fn compute(steps: u64) -> u64 {
    let steps_of_a_chain = |state: u64, step: u64| state.wrapping_mul(6_364_136_223_846_793_005) ^ step;
    black_box((0..black_box(steps)).fold(START, steps_of_a_chain))
}

/// How many steps of [`compute`] take `time` on this machine, undisturbed.
pub(super) fn steps_in(time: Duration) -> u64 {
    const TRIALS: u32 = 100;
    const STEPS: u64 = 10_000;
    let trial = |_| {
        let started = Instant::now();
        compute(STEPS);
        started.elapsed()
    };
    // Whatever disturbs a trial makes it longer.
    let fastest = (0..TRIALS).map(trial).min().unwrap_or_default();
    (STEPS as f64 * time.as_secs_f64() / fastest.as_secs_f64()) as u64
}
