//! flume on monoio by hand: what monoio's users write. As a pool, with a box and a oneshot a job, on any such runtime; and
//! as a channel.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::time::Duration;

use flume::{Receiver, Sender};
use futures_channel::oneshot;
use futures_lite::future::block_on;

use super::files::FlumeMonoio;
use super::monoio::{Monoio, runtime};
use crate::affinity::spawn_bound;
use crate::channel::{Channel, Ends};
use crate::contender::Contender;
use crate::pool::Pool;
use crate::workloads::files;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("flume+monoio")
            .pool::<ByHand<Monoio>>()
            .deep()
            .workload("files", files::run::<FlumeMonoio>),
        Contender::named("flume").channel::<Flume>(),
        Contender::named("flume-drain").channel::<FlumeDrain>(),
    ]
}

/// Starts its own task: one box a job, and not a second one for the future.
type Job = Box<dyn FnOnce() + Send>;

/// Threads with a runtime each, bound as a pool's workers, and what a job needs of its runtime.
pub(super) trait Threads: fmt::Debug + Send + Sync + 'static {
    /// Starts `workers` threads that each run what `body` makes. What it returns waits for their ends.
    fn start<Fut, B>(workers: usize, body: B) -> impl FnOnce()
    where
        B: Fn() -> Fut + Clone + Send + 'static,
        Fut: Future<Output = ()> + 'static;

    /// Spawns a task on this thread.
    fn spawn(future: impl Future<Output = ()> + 'static);

    fn sleep(pause: Duration) -> impl Future<Output = ()>;
}

impl Threads for Monoio {
    fn start<Fut, B>(workers: usize, body: B) -> impl FnOnce()
    where
        B: Fn() -> Fut + Clone + Send + 'static,
        Fut: Future<Output = ()> + 'static,
    {
        let threads = spawn_bound(workers, move |_| runtime().block_on(body()));
        || threads.into_iter().for_each(|thread| thread.join().expect("the worker ends"))
    }

    fn spawn(future: impl Future<Output = ()> + 'static) {
        monoio::spawn(future);
    }

    fn sleep(pause: Duration) -> impl Future<Output = ()> {
        monoio::time::sleep(pause)
    }
}

/// A pool on such threads.
pub(super) struct ByHand<R>(Sender<Job>, PhantomData<R>);

impl<R> Clone for ByHand<R> {
    fn clone(&self) -> Self {
        ByHand(self.0.clone(), PhantomData)
    }
}

impl<R> fmt::Debug for ByHand<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ByHand")
    }
}

impl<R: Threads> Pool for ByHand<R> {
    type Handle<T: Send + 'static> = oneshot::Receiver<T>;

    fn drive<O, Fut, D>(workers: usize, driver: D) -> O
    where
        D: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = O> + Send + 'static,
        O: Send + 'static,
    {
        let (sender, receiver) = flume::unbounded::<Job>();
        let join = R::start(workers, move || {
            let receiver = receiver.clone();
            async move {
                // Ended by a job, or by the drop of the last sender.
                while let Ok(job) = receiver.recv_async().await {
                    job();
                }
            }
        });
        let result = block_on(driver(ByHand(sender, PhantomData)));
        join();
        result
    }

    fn spawn<T, F>(&self, job: F) -> oneshot::Receiver<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (result, handle) = oneshot::channel();
        self.send(Box::new(move || {
            R::spawn(async move {
                let _ = result.send(job());
            });
        }));
        handle
    }

    fn detach<F: FnOnce() + Send + 'static>(&self, job: F) {
        self.send(Box::new(move || R::spawn(async move { job() })));
    }

    fn spawn_after<T, F>(&self, pause: Duration, job: F) -> oneshot::Receiver<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (result, handle) = oneshot::channel();
        self.send(Box::new(move || {
            R::spawn(async move {
                // Ended by the worker's timer.
                R::sleep(pause).await;
                let _ = result.send(job());
            });
        }));
        handle
    }

    async fn join<T: Send + 'static>(handle: oneshot::Receiver<T>) -> T {
        handle.await.expect("the job ran")
    }
}

impl<R> ByHand<R> {
    fn send(&self, job: Job) {
        assert!(self.0.send(job).is_ok(), "the workers live");
    }
}

/// flume's own ends, which block and await alike.
#[derive(Debug)]
struct FlumeEnds;

impl Ends for FlumeEnds {
    type Sender<M: Send + 'static> = Sender<M>;
    type Receiver<M: Send + 'static> = Receiver<M>;

    fn open<M: Send + 'static>(capacity: Option<usize>) -> (Sender<M>, Receiver<M>) {
        capacity.map_or_else(flume::unbounded, flume::bounded)
    }

    fn send<M: Send + 'static>(sender: &Sender<M>, message: M) {
        assert!(sender.send(message).is_ok(), "the receivers live");
    }
}

/// One message at a time.
#[derive(Debug)]
struct Flume;

impl Channel for Flume {
    type Host = Monoio;
    type Ends = FlumeEnds;

    async fn receive<M, E>(receiver: Receiver<M>, mut each: E)
    where
        M: Send + 'static,
        E: FnMut(M) + 'static,
    {
        // Ended by a message, or by the drop of the sender.
        while let Ok(message) = receiver.recv_async().await {
            each(message);
        }
    }
}

/// All that is there at once: `drain` takes the lock once for it.
#[derive(Debug)]
struct FlumeDrain;

impl Channel for FlumeDrain {
    type Host = Monoio;
    type Ends = FlumeEnds;

    async fn receive<M, E>(receiver: Receiver<M>, mut each: E)
    where
        M: Send + 'static,
        E: FnMut(M) + 'static,
    {
        // Ended by a message, or by the drop of the sender.
        while let Ok(message) = receiver.recv_async().await {
            each(message);
            receiver.drain().for_each(&mut each);
        }
    }
}
