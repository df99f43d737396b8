//! Jobs shared out by one who knows their lengths beforehand, the longest first, each to the thread that has the least.

use std::cmp::Reverse;
use std::sync::Barrier;
use std::thread;
use std::time::Instant;

use super::Job;
use crate::affinity::{cpu_of_worker, pin};
use crate::stopwatch::{Lap, Stopwatch};

/// What came of it.
#[derive(Debug)]
pub(crate) struct Shares {
    pub(crate) lap: Lap,
    /// Of all answers.
    pub(crate) sum: u64,
    /// The time of one iteration, the mean of all threads.
    pub(super) iteration_seconds: f64,
}

/// Computes all jobs on `workers` plain threads, bound as a pool's workers are.
pub(crate) fn compute_shares(jobs: &[Job], workers: usize) -> Shares {
    let shares = share_out(jobs, workers);
    let up = Barrier::new(workers + 1);
    thread::scope(|scope| {
        let spawn = |(index, share): (usize, Vec<Job>)| {
            let (up, cpu) = (&up, cpu_of_worker(index));
            scope.spawn(move || {
                pin(cpu);
                // Ended by the last thread to come up, which may be the caller.
                up.wait();
                compute(&share)
            })
        };
        let threads: Vec<_> = shares.into_iter().enumerate().map(spawn).collect();
        let stopwatch = Stopwatch::start();
        up.wait();
        let join = |thread: thread::ScopedJoinHandle<'_, Computed>| thread.join().expect("it does not panic");
        let computed: Vec<Computed> = threads.into_iter().map(join).collect();
        let last = computed.iter().map(|computed| computed.end).max().unwrap_or_else(Instant::now);
        Shares {
            lap: stopwatch.stop_at(last),
            sum: computed.iter().fold(0, |sum, computed| sum.wrapping_add(computed.sum)),
            iteration_seconds: computed.iter().map(|computed| computed.iteration_seconds).sum::<f64>()
                / workers as f64,
        }
    })
}

fn share_out(jobs: &[Job], workers: usize) -> Vec<Vec<Job>> {
    let mut jobs = jobs.to_vec();
    jobs.sort_unstable_by_key(|job| Reverse(job.iterations));
    let mut shares = vec![(0u64, Vec::new()); workers];
    for job in jobs {
        let (iterations, share) =
            shares.iter_mut().min_by_key(|(iterations, _)| *iterations).expect("at least one worker");
        *iterations += job.iterations;
        share.push(job);
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

/// One thread's share.
#[derive(Debug)]
struct Computed {
    sum: u64,
    iteration_seconds: f64,
    end: Instant,
}

fn compute(jobs: &[Job]) -> Computed {
    let start = Instant::now();
    let sum = jobs.iter().fold(0u64, |sum, job| sum.wrapping_add(job.compute()));
    let end = Instant::now();
    let iterations: u64 = jobs.iter().map(|job| job.iterations).sum();
    Computed { sum, iteration_seconds: (end - start).as_secs_f64() / iterations as f64, end }
}
