//! Blocks that one thread allocates and another frees: what a heap cell for each job costs, whatever is done with it.

use super::ring::{Cpus, ROOMY_SLOTS, after_warm_up, hand_over};
use crate::measure::{Case, Outcome, check, per_job};
use crate::workloads::job::{self, Job, Tally};
use crate::workloads::{compute, spawn_join};

/// The size of a millpond cell with a small job in it.
const BLOCK_WORDS: usize = 80 / size_of::<u64>();

type Block = [u64; BLOCK_WORDS];

pub(super) fn spawn_join(case: Case) -> Outcome {
    let (jobs, cpus) = (spawn_join::jobs(case), Cpus::choose());
    let lap = after_warm_up(jobs, |count| {
        let blocks = (0..count).map(|index| allocate([spawn_join::answer(index), 0, 0]));
        let add = |sum: &mut u64, block| *sum = sum.wrapping_add(free(block)[0]);
        let (lap, sum) = hand_over(cpus, ROOMY_SLOTS, count, blocks, 0, add);
        let right = (0..count).map(spawn_join::answer).fold(0, u64::wrapping_add);
        check("the sum of the results", sum, right).map(|()| lap)
    })?;
    Ok(per_job(lap, jobs))
}

pub(super) fn compute(case: Case) -> Outcome {
    let (jobs, cpus) = (compute::jobs(case), Cpus::choose());
    let lap = after_warm_up(jobs, |count| {
        let blocks = job::jobs(count).map(|job| allocate(job.to_words()));
        let count_answer = |tally: &mut Tally, block| tally.count(Job::from_words(free(block)).answer());
        let (lap, tally) = hand_over(cpus, ROOMY_SLOTS, count, blocks, Tally::default(), count_answer);
        check("the answers", tally, Tally::expected(count)).map(|()| lap)
    })?;
    Ok(per_job(lap, jobs))
}

/// A block with `words` in front, as its address.
fn allocate(words: [u64; 3]) -> [u64; 1] {
    let mut block: Block = [0; BLOCK_WORDS];
    block[..words.len()].copy_from_slice(&words);
    [Box::into_raw(Box::new(block)).expose_provenance() as u64]
}

/// Frees a block of [`allocate`] that was not freed before. Returns what was in front.
fn free([address]: [u64; 1]) -> [u64; 3] {
    // SAFETY: both callers free what the ring hands over, which is what they allocated, each once and after its
    // `Box::into_raw`: the ring publishes with release and looks with acquire.
    let block = unsafe { Box::<Block>::from_raw(std::ptr::with_exposed_provenance_mut(address as usize)) };
    [block[0], block[1], block[2]]
}
