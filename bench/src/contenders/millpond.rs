//! millpond, with its driver in three places and on two kinds of workers, and its channel.

use std::fmt::Debug;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use futures_lite::future::block_on;
use millpond::{Class, Driver, Handle, JobOptions, JoinHandle, Pool as MillpondPool};

use super::cpu::InTheJob;
use super::serve::{LeastConnections, Millpond as Serving, ReusePort, RoundRobin};
use super::std_threads::OnThreads;
use crate::contender::Contender;
use crate::measure::Case;
use crate::pool::Pool;
use crate::workloads::classes::{self, Classes};
use crate::workloads::cpu;
use crate::workloads::files;
use crate::workloads::local::{self, Local};
use crate::workloads::serve;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("millpond")
            .pool::<Millpond<InBlockOn>>()
            .deep()
            .workload("classes", classes::run::<Millpond<InBlockOn>>)
            .workload("cpu", cpu::full::<InTheJob>)
            .workload("cpu-light", cpu::light::<InTheJob>)
            .workload("cpu-large", cpu::large::<InTheJob>)
            .workload("files", files::run::<super::files::Millpond>)
            .workload("serve", serve::run::<Serving<LeastConnections>>)
            .workload("local", |case: Case| pool(case.workers).block_on(local::drive(OnThisThread, case))),
        Contender::named("millpond-one-class").workload("classes", classes::run::<Millpond<OneClass>>),
        Contender::named("millpond-join").pool::<Millpond<OnAThread>>().without("spread"),
        Contender::named("millpond-nested").pool::<Millpond<InAJob>>().without_a_thread_for_its_driver(),
        Contender::named("millpond-park").pool::<Millpond<WithoutRing>>(),
        Contender::named("millpond-round-robin").workload("serve", serve::run::<Serving<RoundRobin>>),
        Contender::named("millpond-reuse-port").workload("serve", serve::run::<Serving<ReusePort>>),
        Contender::named("millpond-channel").channel::<channel::Batches>(),
        Contender::named("millpond-recv").channel::<channel::Singly>(),
        Contender::named("std-channel").channel::<channel::Batches<OnThreads>>(),
    ]
}

fn pool(workers: usize) -> MillpondPool {
    pool_on(Driver::default(), workers)
}

fn pool_on(driver: Driver, workers: usize) -> MillpondPool {
    MillpondPool::builder().worker_threads(workers).driver(driver).build().expect("the pool starts")
}

/// Where the bench's driver runs, how it waits, and what the workers run on.
pub(crate) trait Place: Debug + Send + Sync + 'static {
    const DRIVER: Driver = Driver::Auto;

    /// Of jobs that can wait.
    const BULK: Class = Class::Bulk;

    fn drive<R: Send + 'static>(pool: &MillpondPool, driver: impl Future<Output = R> + Send + 'static) -> R;

    fn join<T: Send + 'static>(handle: JoinHandle<T>) -> impl Future<Output = T> + Send;
}

/// In the body that `#[millpond::main]` makes: the front page's way.
#[derive(Debug)]
struct InBlockOn;

/// As [`InBlockOn`], with all jobs of one class: what classes are good for, and what they cost.
#[derive(Debug)]
struct OneClass;

/// On a plain thread that blocks in `join`.
#[derive(Debug)]
struct OnAThread;

/// In a job, on a worker.
#[derive(Debug)]
struct InAJob;

/// As [`InBlockOn`], on workers that park their threads where others wait on a ring: what the ring costs.
#[derive(Debug)]
struct WithoutRing;

/// For plain jobs, and for those that can wait.
#[derive(Debug)]
struct Millpond<P>(Handle, Handle, PhantomData<P>);

impl<P> Clone for Millpond<P> {
    fn clone(&self) -> Self {
        Millpond(self.0.clone(), self.1.clone(), PhantomData)
    }
}

impl<P: Place> Classes for Millpond<P> {
    fn detach_bulk<F: FnOnce() + Send + 'static>(&self, job: F) {
        drop(self.1.spawn(move || async move { job() }));
    }
}

impl<P: Place> Pool for Millpond<P> {
    type Handle<T: Send + 'static> = JoinHandle<T>;

    fn drive<R, Fut, D>(workers: usize, driver: D) -> R
    where
        D: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        let pool = pool_on(P::DRIVER, workers);
        let bulk = pool.with_options(JobOptions::new().class(P::BULK));
        P::drive(&pool, driver(Millpond(pool.handle(), bulk, PhantomData)))
    }

    fn spawn<T, F>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn(move || async move { job() })
    }

    fn spawn_after<T, F>(&self, pause: Duration, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn(move || async move {
            // Ended by the worker's timer.
            millpond::time::sleep(pause).await;
            job()
        })
    }

    fn join<T: Send + 'static>(handle: JoinHandle<T>) -> impl Future<Output = T> + Send {
        P::join(handle)
    }
}

impl Place for InBlockOn {
    fn drive<R: Send + 'static>(pool: &MillpondPool, driver: impl Future<Output = R> + Send + 'static) -> R {
        pool.block_on(driver)
    }

    async fn join<T: Send + 'static>(handle: JoinHandle<T>) -> T {
        handle.await.expect("the job ran")
    }
}

impl Place for OneClass {
    const BULK: Class = Class::Interactive;

    fn drive<R: Send + 'static>(pool: &MillpondPool, driver: impl Future<Output = R> + Send + 'static) -> R {
        pool.block_on(driver)
    }

    async fn join<T: Send + 'static>(handle: JoinHandle<T>) -> T {
        handle.await.expect("the job ran")
    }
}

impl Place for OnAThread {
    fn drive<R: Send + 'static>(_: &MillpondPool, driver: impl Future<Output = R> + Send + 'static) -> R {
        // Never pending: it blocks in `join`.
        block_on(driver)
    }

    async fn join<T: Send + 'static>(handle: JoinHandle<T>) -> T {
        handle.join().expect("the job ran")
    }
}

impl Place for InAJob {
    fn drive<R: Send + 'static>(pool: &MillpondPool, driver: impl Future<Output = R> + Send + 'static) -> R {
        pool.spawn(move || driver).join().expect("the driver ran")
    }

    async fn join<T: Send + 'static>(handle: JoinHandle<T>) -> T {
        handle.await.expect("the job ran")
    }
}

impl Place for WithoutRing {
    const DRIVER: Driver = Driver::Park;

    fn drive<R: Send + 'static>(pool: &MillpondPool, driver: impl Future<Output = R> + Send + 'static) -> R {
        pool.block_on(driver)
    }

    async fn join<T: Send + 'static>(handle: JoinHandle<T>) -> T {
        handle.await.expect("the job ran")
    }
}

/// Inside `block_on`.
#[derive(Debug)]
struct OnThisThread;

impl Local for OnThisThread {
    type Handle = JoinHandle<u64>;

    fn spawn(&self, future: impl Future<Output = u64> + 'static) -> JoinHandle<u64> {
        millpond::spawn_local(future)
    }

    fn output(output: Result<u64, millpond::JoinError>) -> u64 {
        output.expect("the task ran")
    }
}

mod channel {
    use std::future::Future;
    use std::marker::PhantomData;

    use futures_lite::future::block_on;
    use millpond::channel::{self, Receiver, Sender};

    use super::pool;
    use crate::channel::{Channel, Ends, Host};

    /// What one call of `recv_many` takes at most: enough to share its costs, few enough to stay in the nearest cache.
    const BATCH_MESSAGES: usize = 256;

    #[derive(Debug)]
    pub(super) struct MillpondEnds;

    impl Ends for MillpondEnds {
        type Sender<M: Send + 'static> = Sender<M>;
        type Receiver<M: Send + 'static> = Receiver<M>;

        fn open<M: Send + 'static>(capacity: Option<usize>) -> (Sender<M>, Receiver<M>) {
            capacity.map_or_else(channel::unbounded, channel::bounded)
        }

        fn send<M: Send + 'static>(sender: &Sender<M>, message: M) {
            assert!(sender.send_blocking(message).is_ok(), "the receivers live");
        }
    }

    /// In batches: the fastest way for messages that are all short.
    #[derive(Debug)]
    pub(super) struct Batches<H = Workers>(PhantomData<H>);

    impl<H: Host + 'static> Channel for Batches<H> {
        type Host = H;
        type Ends = MillpondEnds;

        async fn receive<M, E>(receiver: Receiver<M>, mut each: E)
        where
            M: Send + 'static,
            E: FnMut(M) + 'static,
        {
            let mut messages = Vec::with_capacity(BATCH_MESSAGES);
            // Each ends with a message, the last with the drop of the sender.
            while receiver.recv_many(&mut messages, BATCH_MESSAGES).await > 0 {
                messages.drain(..).for_each(&mut each);
            }
        }
    }

    /// One message at a time: what another worker can take is never held back by a long one.
    #[derive(Debug)]
    pub(super) struct Singly;

    impl Channel for Singly {
        type Host = Workers;
        type Ends = MillpondEnds;

        async fn receive<M, E>(receiver: Receiver<M>, mut each: E)
        where
            M: Send + 'static,
            E: FnMut(M) + 'static,
        {
            // Ended by a message, or by the drop of the sender.
            while let Some(message) = receiver.recv().await {
                each(message);
            }
        }
    }

    /// The workers of a pool.
    #[derive(Debug)]
    pub(super) struct Workers;

    impl Host for Workers {
        fn run<T, Fut, B, D, R>(workers: usize, body: B, driver: D) -> (R, Vec<T>)
        where
            B: Fn(usize) -> Fut + Clone + Send + 'static,
            Fut: Future<Output = T> + 'static,
            T: Send + 'static,
            D: FnOnce() -> R,
        {
            let pool = pool(workers);
            let loops = pool.broadcast(move |worker| body(worker.index()));
            let driven = driver();
            // Ended by the loops' ends.
            let results = block_on(loops).into_iter().map(|result| result.expect("the loop ran"));
            (driven, results.collect())
        }
    }
}
