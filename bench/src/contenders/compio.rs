//! compio-dispatcher: threads with a compio (io_uring) runtime each, fed by one flume channel.

use std::collections::HashSet;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use compio_dispatcher::Dispatcher;
use compio_runtime::{JoinHandle, ResumeUnwind, Runtime};
use futures_channel::oneshot::Receiver;

use crate::affinity::cpu_of_worker;
use crate::contender::Contender;
use crate::measure::Case;
use crate::pool::Pool;
use crate::workloads::files;
use crate::workloads::local::{self, Local};

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("compio-dispatcher")
            .pool::<Compio>()
            .workload("files", files::run::<super::files::Compio>),
        Contender::named("compio")
            .workload("local", |case: Case| runtime().block_on(local::drive(OnThisThread, case))),
    ]
}

fn runtime() -> Runtime {
    Runtime::new().expect("the runtime starts")
}

#[derive(Clone)]
struct Compio(Arc<Dispatcher>);

impl fmt::Debug for Compio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compio")
    }
}

impl Pool for Compio {
    type Handle<T: Send + 'static> = Receiver<T>;

    fn drive<R, Fut, D>(workers: usize, driver: D) -> R
    where
        D: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        let count = NonZeroUsize::new(workers).expect("at least one worker");
        let dispatcher = Dispatcher::builder()
            .worker_threads(count)
            .thread_affinity(|index| cpu_of_worker(index).into_iter().collect::<HashSet<_>>())
            .build()
            .expect("the dispatcher starts");
        let dispatcher = Arc::new(dispatcher);
        // In a compio runtime, as on the crate's page.
        runtime().block_on(async move {
            let result = driver(Compio(Arc::clone(&dispatcher))).await;
            let dispatcher = Arc::into_inner(dispatcher).expect("the driver has ended");
            // Ended by the ends of its threads, whose channel closes.
            dispatcher.join().await.expect("the threads end");
            result
        })
    }

    fn spawn<T, F>(&self, job: F) -> Receiver<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match self.0.dispatch(move || async move { job() }) {
            Ok(handle) => handle,
            Err(_) => panic!("the dispatcher's threads are gone"),
        }
    }

    fn spawn_after<T, F>(&self, pause: Duration, job: F) -> Receiver<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let sleeps = move || async move {
            // Ended by the worker's timer.
            compio_runtime::time::sleep(pause).await;
            job()
        };
        match self.0.dispatch(sleeps) {
            Ok(handle) => handle,
            Err(_) => panic!("the dispatcher's threads are gone"),
        }
    }

    async fn join<T: Send + 'static>(handle: Receiver<T>) -> T {
        handle.await.expect("the job ran")
    }
}

#[derive(Debug)]
struct OnThisThread;

impl Local for OnThisThread {
    type Handle = JoinHandle<u64>;

    fn spawn(&self, future: impl Future<Output = u64> + 'static) -> JoinHandle<u64> {
        compio_runtime::spawn(future)
    }

    fn output(output: Result<u64, compio_runtime::JoinError>) -> u64 {
        output.resume_unwind().expect("the task ran")
    }
}
