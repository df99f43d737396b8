//! Where a job of millpond computes: on its worker, on a thread of `spawn_blocking`, or on rayon's.

use std::future::Future;
use std::sync::Arc;

use futures_channel::oneshot;
use millpond::{Class, Handle, JobOptions};
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::contender::Contender;
use crate::workloads::cpu::{self, Divided, Way};

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        of::<InABulkJob>("millpond-bulk"),
        of::<Blocking>("millpond-blocking").workload("cpu-large", cpu::large::<Blocking>),
        of::<Rayon>("millpond+rayon").workload("cpu-large", cpu::large::<Rayon>),
        Contender::named("millpond-blocking+par_iter").workload("cpu-large", cpu::large::<ParIter>),
        Contender::named("millpond-split").workload("cpu-large", cpu::large::<Split>),
    ]
}

fn of<W: Way>(name: &'static str) -> Contender {
    Contender::named(name).workload("cpu", cpu::full::<W>).workload("cpu-light", cpu::light::<W>)
}

/// Nowhere else: the job holds its worker.
#[derive(Clone, Debug)]
pub(super) struct InTheJob;

impl Way for InTheJob {
    fn new(_: usize) -> Self {
        InTheJob
    }

    async fn compute(&self, piece: impl FnOnce() -> u64 + Send + 'static) -> u64 {
        piece()
    }
}

impl Divided for InTheJob {
    fn new(_: usize) -> Self {
        InTheJob
    }

    async fn sum(&self, parts: u64, part: impl Fn(u64) -> u64 + Copy + Send + Sync + 'static) -> u64 {
        sum(parts, part)
    }
}

fn sum(parts: u64, part: impl Fn(u64) -> u64) -> u64 {
    (0..parts).fold(0, |sum: u64, number| sum.wrapping_add(part(number)))
}

/// The same in jobs of the class bulk, behind which no small job waits that has not started.
#[derive(Clone, Debug)]
struct InABulkJob;

impl Way for InABulkJob {
    const CLASS: Class = Class::Bulk;

    fn new(_: usize) -> Self {
        InABulkJob
    }

    async fn compute(&self, piece: impl FnOnce() -> u64 + Send + 'static) -> u64 {
        piece()
    }
}

/// `millpond::spawn_blocking`.
#[derive(Clone, Debug)]
struct Blocking;

impl Way for Blocking {
    fn new(_: usize) -> Self {
        Blocking
    }

    async fn compute(&self, piece: impl FnOnce() -> u64 + Send + 'static) -> u64 {
        // Ended by the closure's end.
        millpond::spawn_blocking(piece).await.expect("the closure ran")
    }
}

impl Divided for Blocking {
    fn new(_: usize) -> Self {
        Blocking
    }

    async fn sum(&self, parts: u64, part: impl Fn(u64) -> u64 + Copy + Send + Sync + 'static) -> u64 {
        // Ended by the closure's end.
        millpond::spawn_blocking(move || sum(parts, part)).await.expect("the closure ran")
    }
}

/// rayon's pool of as many threads as the pool has workers; its answer comes through a oneshot.
#[derive(Clone, Debug)]
struct Rayon(Arc<ThreadPool>);

fn rayon(workers: usize) -> Arc<ThreadPool> {
    Arc::new(ThreadPoolBuilder::new().num_threads(workers).build().expect("the pool starts"))
}

impl Rayon {
    fn ask(&self, work: impl FnOnce() -> u64 + Send + 'static) -> impl Future<Output = u64> {
        let (result, answer) = oneshot::channel();
        // First in, first out: else the job that came first waits for all that came after it.
        self.0.spawn_fifo(move || {
            let _ = result.send(work());
        });
        // Ended by the work's end.
        async { answer.await.expect("the work was done") }
    }
}

impl Way for Rayon {
    fn new(workers: usize) -> Self {
        Rayon(rayon(workers))
    }

    async fn compute(&self, piece: impl FnOnce() -> u64 + Send + 'static) -> u64 {
        self.ask(piece).await
    }
}

fn par_sum(parts: u64, part: impl Fn(u64) -> u64 + Send + Sync) -> u64 {
    (0..parts).into_par_iter().map(part).reduce(|| 0, u64::wrapping_add)
}

impl Divided for Rayon {
    fn new(workers: usize) -> Self {
        Rayon(rayon(workers))
    }

    async fn sum(&self, parts: u64, part: impl Fn(u64) -> u64 + Copy + Send + Sync + 'static) -> u64 {
        self.ask(move || par_sum(parts, part)).await
    }
}

/// A parallel iterator inside one `spawn_blocking`, whose thread waits while rayon's compute.
#[derive(Clone, Debug)]
struct ParIter(Arc<ThreadPool>);

impl Divided for ParIter {
    fn new(workers: usize) -> Self {
        ParIter(rayon(workers))
    }

    async fn sum(&self, parts: u64, part: impl Fn(u64) -> u64 + Copy + Send + Sync + 'static) -> u64 {
        let pool = Arc::clone(&self.0);
        // Ended by the closure's end.
        let sum = millpond::spawn_blocking(move || pool.install(|| par_sum(parts, part)));
        sum.await.expect("the closure ran")
    }
}

/// Without rayon: bulk jobs of ten parts, each on whichever worker is free.
#[derive(Clone, Debug)]
struct Split;

const PARTS_OF_A_JOB: u64 = 10;

impl Divided for Split {
    fn new(_: usize) -> Self {
        Split
    }

    async fn sum(&self, parts: u64, part: impl Fn(u64) -> u64 + Copy + Send + Sync + 'static) -> u64 {
        let bulk = Handle::current().with_options(JobOptions::new().class(Class::Bulk));
        let of_job = |first: u64| {
            let last = parts.min(first + PARTS_OF_A_JOB);
            bulk.spawn(move || async move {
                (first..last).fold(0, |sum: u64, number| sum.wrapping_add(part(number)))
            })
        };
        let jobs: Vec<_> = (0..parts).step_by(PARTS_OF_A_JOB as usize).map(of_job).collect();
        let mut sum: u64 = 0;
        for job in jobs {
            // Ended by the job's end.
            sum = sum.wrapping_add(job.await.expect("the job ran"));
        }
        sum
    }
}
