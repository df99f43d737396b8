//! rayon's pool, with a oneshot for each result. It has no timers.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_channel::oneshot;
use futures_lite::future::block_on;
use rayon_core::{ThreadPool, ThreadPoolBuilder};

use crate::contender::Contender;
use crate::pool::Pool;
use crate::workloads::files;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("rayon")
            .pool::<Rayon>()
            .without("spread")
            .without("skew-io")
            .workload("files", files::run::<super::files::Rayon>),
    ]
}

#[derive(Clone)]
struct Rayon(Arc<ThreadPool>);

impl fmt::Debug for Rayon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rayon")
    }
}

impl Pool for Rayon {
    type Handle<T: Send + 'static> = oneshot::Receiver<T>;

    fn drive<R, Fut, D>(workers: usize, driver: D) -> R
    where
        D: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        let pool = ThreadPoolBuilder::new().num_threads(workers).build().expect("the pool starts");
        block_on(driver(Rayon(Arc::new(pool))))
    }

    fn spawn<T, F>(&self, job: F) -> oneshot::Receiver<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (result, handle) = oneshot::channel();
        // From one thread, in the order of their sending: what is first sent is first awaited.
        self.0.spawn_fifo(move || {
            let _ = result.send(job());
        });
        handle
    }

    fn detach<F: FnOnce() + Send + 'static>(&self, job: F) {
        self.0.spawn_fifo(job);
    }

    fn spawn_after<T, F>(&self, _: Duration, _: F) -> oneshot::Receiver<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        unreachable!("rayon has no timers, and takes no part in what needs them")
    }

    async fn join<T: Send + 'static>(handle: oneshot::Receiver<T>) -> T {
        handle.await.expect("the job ran")
    }
}
