//! Pools that start and end at the same time, on threads of their own.

#[path = "common/alone.rs"]
mod alone;
#[path = "common/child.rs"]
mod child;
mod common;

use child::Holdings;
use common::pool;
use std::thread;

/// Threads that build pools, more than there are CPUs, so that they cut each other short.
const THREADS: usize = 4;
/// Pools of each thread. Of so many together, one in some thousand that loses a ring shows in every other run.
const POOLS: usize = 300;

#[test]
fn pools_that_start_at_the_same_time_leave_nothing_behind() {
    alone::alone(module_path!(), "pools_that_start_at_the_same_time_leave_nothing_behind", || {
        let before = Holdings::after(|| drop(pool(1)));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| (0..POOLS).for_each(|_| drop(pool(1))));
            }
        });
        before.assert_restored();
    });
}
