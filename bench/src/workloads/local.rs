//! The task itself: spawned on the thread that runs it, run there, and its result taken there.

use std::future::Future;

use super::Workload;
use crate::measure::{Case, Outcome, check, per_job};
use crate::stopwatch::Stopwatch;

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[1],
    most_workers: 1,
    ..Workload::new("local", "4 M tasks spawned, run and awaited on one thread, in batches of 256")
};

/// As many as stay in the nearest cache: what is measured is the task, not memory.
const BATCH_TASKS: u64 = 256;

/// An executor of one thread.
pub(crate) trait Local {
    type Handle: Future;

    /// Spawns `future` on this thread.
    fn spawn(&self, future: impl Future<Output = u64> + 'static) -> Self::Handle;

    fn output(output: <Self::Handle as Future>::Output) -> u64;
}

/// What a contender drives on its executor.
pub(crate) async fn drive<L: Local>(local: L, case: Case) -> Outcome {
    let batches = case.size.of(16_000, 2_000, 2);
    spawn_and_join(&local, batches / 10).await?;
    let stopwatch = Stopwatch::start();
    spawn_and_join(&local, batches).await?;
    let lap = stopwatch.stop();
    Ok(per_job(lap, batches * BATCH_TASKS))
}

async fn spawn_and_join<L: Local>(local: &L, batches: u64) -> Result<(), String> {
    let mut handles = Vec::with_capacity(BATCH_TASKS as usize);
    let mut sum = 0u64;
    for batch in 0..batches {
        for index in 0..BATCH_TASKS {
            handles.push(local.spawn(async move { index ^ batch }));
        }
        for handle in handles.drain(..) {
            // Ended by the task's end.
            sum = sum.wrapping_add(L::output(handle.await));
        }
    }
    let right = (0..batches).flat_map(|batch| (0..BATCH_TASKS).map(move |index| index ^ batch));
    check("the sum of the results", sum, right.fold(0, u64::wrapping_add))
}
