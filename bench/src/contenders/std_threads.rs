//! The control: plain threads without a ring, timers or tasks. Beside the pools on io_uring it shows what rings cost and
//! what threads give.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use futures_channel::oneshot;
use futures_lite::future::block_on;

use super::files::StdFlume;
use crate::affinity::spawn_bound;
use crate::channel::Host;
use crate::contender::Contender;
use crate::pool::Pool;
use crate::workloads::files;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("std-threads")
            .pool::<Threads<Millpond>>()
            .deep()
            .without("spread")
            .without("skew-io"),
        Contender::named("std+flume")
            .pool::<Threads<Flume>>()
            .workload("files", files::run::<StdFlume>)
            .without("spread")
            .without("skew-io"),
    ]
}

type Job = Box<dyn FnOnce() + Send>;

/// What a plain thread waits at for jobs.
trait Queue: Sized + 'static {
    type Sender: Clone + Send + Sync + 'static;
    type Receiver: Clone + Send + 'static;

    fn open() -> (Self::Sender, Self::Receiver);

    fn push(sender: &Self::Sender, job: Job);

    /// Blocks until there is a job. None once all senders are gone and the queue is empty.
    fn pop(receiver: &Self::Receiver) -> Option<Job>;
}

/// millpond's own channel, as its pool has its own queue.
#[derive(Debug)]
struct Millpond;

impl Queue for Millpond {
    type Sender = millpond::channel::Sender<Job>;
    type Receiver = millpond::channel::Receiver<Job>;

    fn open() -> (Self::Sender, Self::Receiver) {
        millpond::channel::unbounded()
    }

    fn push(sender: &Self::Sender, job: Job) {
        assert!(sender.send_blocking(job).is_ok(), "the workers live");
    }

    fn pop(receiver: &Self::Receiver) -> Option<Job> {
        receiver.recv_blocking()
    }
}

/// The pool that one would write without any async.
#[derive(Debug)]
struct Flume;

impl Queue for Flume {
    type Sender = flume::Sender<Job>;
    type Receiver = flume::Receiver<Job>;

    fn open() -> (Self::Sender, Self::Receiver) {
        flume::unbounded()
    }

    fn push(sender: &Self::Sender, job: Job) {
        assert!(sender.send(job).is_ok(), "the workers live");
    }

    fn pop(receiver: &Self::Receiver) -> Option<Job> {
        receiver.recv().ok()
    }
}

#[derive(Debug)]
struct Threads<Q: Queue>(Q::Sender, PhantomData<fn() -> Q>);

impl<Q: Queue> Clone for Threads<Q> {
    fn clone(&self) -> Self {
        Threads(self.0.clone(), PhantomData)
    }
}

impl<Q: Queue> Pool for Threads<Q> {
    type Handle<T: Send + 'static> = oneshot::Receiver<T>;

    fn drive<R, Fut, D>(workers: usize, driver: D) -> R
    where
        D: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        let (sender, receiver) = Q::open();
        let threads = spawn_bound(workers, move |_| {
            // Ended by a job, or by the drop of the last sender.
            while let Some(job) = Q::pop(&receiver) {
                job();
            }
        });
        let result = block_on(driver(Threads(sender, PhantomData)));
        threads.into_iter().for_each(|thread| thread.join().expect("the worker ends"));
        result
    }

    fn spawn<T, F>(&self, job: F) -> oneshot::Receiver<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (result, handle) = oneshot::channel();
        self.detach(move || {
            let _ = result.send(job());
        });
        handle
    }

    fn detach<F: FnOnce() + Send + 'static>(&self, job: F) {
        Q::push(&self.0, Box::new(job));
    }

    fn spawn_after<T, F>(&self, _: Duration, _: F) -> oneshot::Receiver<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        unreachable!("plain threads have no timers, and take no part in what needs them")
    }

    async fn join<T: Send + 'static>(handle: oneshot::Receiver<T>) -> T {
        handle.await.expect("the job ran")
    }
}

/// Plain threads for receiving loops.
#[derive(Debug)]
pub(super) struct OnThreads;

impl Host for OnThreads {
    fn run<T, Fut, B, D, R>(workers: usize, body: B, driver: D) -> (R, Vec<T>)
    where
        B: Fn(usize) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
        D: FnOnce() -> R,
    {
        run_loops(workers, || block_on, body, driver)
    }
}

/// [`Host::run`] on threads made by hand: `start` makes, on each of them, what then drives its loop.
pub(super) fn run_loops<T, Fut, B, D, R, W>(
    workers: usize,
    start: fn() -> W,
    body: B,
    driver: D,
) -> (R, Vec<T>)
where
    B: Fn(usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = T> + 'static,
    T: Send + 'static,
    D: FnOnce() -> R,
    W: FnOnce(Fut) -> T + 'static,
{
    let up = Arc::new(Barrier::new(workers + 1));
    let theirs = Arc::clone(&up);
    // What the channel needs goes with the body, so that nothing here keeps it open.
    let threads = spawn_bound(workers, move |index| {
        let drive = start();
        // Ended by the last thread to come up.
        theirs.wait();
        drive(body(index))
    });
    up.wait();
    let driven = driver();
    (driven, threads.into_iter().map(|thread| thread.join().expect("the loop ran")).collect())
}
