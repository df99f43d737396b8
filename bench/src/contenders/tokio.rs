//! tokio's multi-thread runtime, with the driver in `block_on`, and as a task on a worker.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{JoinError, JoinHandle, LocalSet};

use super::files::{TokioBlocking, TokioFs};
use super::serve::{Tokio, TokioHyper};
use crate::contender::Contender;
use crate::measure::Case;
use crate::pool::Pool;
use crate::workloads::classes::{self, Classes};
use crate::workloads::files;
use crate::workloads::local::{self, Local};
use crate::workloads::serve;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("tokio")
            .pool::<InBlockOn>()
            .workload("classes", classes::run::<InBlockOn>)
            .workload("files", files::run::<TokioFs>)
            .workload("serve", serve::run::<Tokio>),
        Contender::named("tokio+hyper").workload("serve", serve::run::<TokioHyper>),
        Contender::named("tokio-blocking").workload("files", files::run::<TokioBlocking>),
        Contender::named("tokio-nested").pool::<OnAWorker>().without_a_thread_for_its_driver(),
        Contender::named("tokio-localset").workload("local", |case: Case| {
            let runtime = Builder::new_current_thread().build().expect("the runtime starts");
            LocalSet::new().block_on(&runtime, local::drive(OnThisThread, case))
        }),
    ]
}

fn runtime(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_time().build().expect("the runtime starts")
}

async fn result<T>(handle: JoinHandle<T>) -> T {
    handle.await.expect("the job ran")
}

#[derive(Clone, Debug)]
struct InBlockOn(Handle);

/// tokio's advice for a body that spawns much: from a worker a task goes to that worker's own queue, without the lock
/// of the shared one.
#[derive(Clone, Debug)]
struct OnAWorker;

impl Pool for InBlockOn {
    type Handle<T: Send + 'static> = JoinHandle<T>;

    fn drive<R, Fut, D>(workers: usize, driver: D) -> R
    where
        D: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        let runtime = runtime(workers);
        runtime.block_on(driver(InBlockOn(runtime.handle().clone())))
    }

    fn spawn<T, F>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn(async move { job() })
    }

    fn spawn_after<T, F>(&self, pause: Duration, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn(after(pause, job))
    }

    fn join<T: Send + 'static>(handle: JoinHandle<T>) -> impl Future<Output = T> + Send {
        result(handle)
    }
}

/// It has none.
impl Classes for InBlockOn {}

impl Pool for OnAWorker {
    type Handle<T: Send + 'static> = JoinHandle<T>;

    fn drive<R, Fut, D>(workers: usize, driver: D) -> R
    where
        D: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        let runtime = runtime(workers);
        let driver = runtime.spawn(driver(OnAWorker));
        runtime.block_on(result(driver))
    }

    fn spawn<T, F>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        tokio::spawn(async move { job() })
    }

    fn spawn_after<T, F>(&self, pause: Duration, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        tokio::spawn(after(pause, job))
    }

    fn join<T: Send + 'static>(handle: JoinHandle<T>) -> impl Future<Output = T> + Send {
        result(handle)
    }
}

async fn after<T>(pause: Duration, job: impl FnOnce() -> T) -> T {
    // Ended by the runtime's timer.
    tokio::time::sleep(pause).await;
    job()
}

#[derive(Debug)]
struct OnThisThread;

impl Local for OnThisThread {
    type Handle = JoinHandle<u64>;

    fn spawn(&self, future: impl Future<Output = u64> + 'static) -> JoinHandle<u64> {
        tokio::task::spawn_local(future)
    }

    fn output(output: Result<u64, JoinError>) -> u64 {
        output.expect("the task ran")
    }
}
