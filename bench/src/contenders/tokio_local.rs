//! tokio-util's `LocalPoolHandle`: tokio threads that run futures which are not `Send`.

use std::future::Future;
use std::time::Duration;

use futures_lite::future::block_on;
use tokio::task::JoinHandle;
use tokio_util::task::LocalPoolHandle;

use crate::contender::Contender;
use crate::pool::Pool;

pub(crate) fn contenders() -> Vec<Contender> {
    vec![Contender::named("tokio-localpool").pool::<LocalPool>()]
}

#[derive(Clone, Debug)]
struct LocalPool(LocalPoolHandle);

impl Pool for LocalPool {
    type Handle<T: Send + 'static> = JoinHandle<T>;

    fn drive<R, Fut, D>(workers: usize, driver: D) -> R
    where
        D: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        block_on(driver(LocalPool(LocalPoolHandle::new(workers))))
    }

    fn spawn<T, F>(&self, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn_pinned(move || async move { job() })
    }

    fn spawn_after<T, F>(&self, pause: Duration, job: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.0.spawn_pinned(move || async move {
            // Ended by the worker's timer.
            tokio::time::sleep(pause).await;
            job()
        })
    }

    async fn join<T: Send + 'static>(handle: JoinHandle<T>) -> T {
        handle.await.expect("the job ran")
    }
}
