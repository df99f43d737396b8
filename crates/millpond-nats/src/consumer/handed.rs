//! A delivery in the hands of the pool: the job that runs the handler.

use super::shared::Shared;
use crate::{Failure, Job, delivery::Delivery};
use futures_util::FutureExt;
use millpond::{Handle, JoinHandle, TrySpawnError};
use std::{future::Future, panic::AssertUnwindSafe, pin::Pin, sync::Arc};

/// A delivery that is a job of the pool, or about to be. Dropped before the handler's end, wherever that is (in the queue of a
/// pool that ends, or in the middle by an abort), it gives the message back.
struct Handed {
    delivery: Arc<Delivery>,
    shared: Arc<Shared>,
}

/// Hands deliveries to the pool. The handler's type is known here, and to nobody else.
pub(super) trait Hands: Send + Sync {
    fn hand(&self, delivery: Arc<Delivery>, shared: &Arc<Shared>) -> Handing;
}

/// How far the hand-over has come.
pub(super) enum Handing {
    /// The pool has it.
    Done(JoinHandle<()>),
    /// The pool's queue is full.
    Full(Waiting),
    /// The pool takes no jobs any more. The message goes back to the server.
    Closed,
}

/// Waits until the pool has room. `None`: it has closed. Dropped, it gives the message back.
pub(super) type Waiting = Pin<Box<dyn Future<Output = Option<JoinHandle<()>>> + Send>>;

/// A pool and a handler.
pub(super) struct Hand<F> {
    pub(super) pool: Handle,
    pub(super) handler: Arc<F>,
}

impl<F, Fut, E> Hands for Hand<F>
where
    F: Fn(Job) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), E>> + 'static,
    E: Into<Failure> + 'static,
{
    fn hand(&self, delivery: Arc<Delivery>, shared: &Arc<Shared>) -> Handing {
        let handed = Handed { delivery, shared: Arc::clone(shared) };
        let handler = Arc::clone(&self.handler);
        match self.pool.try_spawn(move || handed.run(handler)) {
            Ok(job) => Handing::Done(job),
            Err(TrySpawnError::Full(closure)) => {
                let pool = self.pool.clone();
                // Ended by the pool, when there is room or it closes.
                Handing::Full(Box::pin(async move { pool.submit(closure).await.ok() }))
            }
            Err(TrySpawnError::Closed(_)) => Handing::Closed,
        }
    }
}

impl Handed {
    /// On a worker. A panic of the handler's ends here, and is a failure like others.
    async fn run<F, Fut, E>(self, handler: Arc<F>)
    where
        F: Fn(Job) -> Fut,
        Fut: Future<Output = Result<(), E>>,
        E: Into<Failure>,
    {
        if !self.delivery.begin() {
            return;
        }
        self.shared.counts.started.up();
        self.shared.room.begun();
        let job = Job::new(Arc::clone(&self.delivery));
        let handled = AssertUnwindSafe(async { handler(job).await.map_err(Into::into) });
        // Ended by the handler.
        let outcome =
            handled.catch_unwind().await.unwrap_or_else(|payload| Err(Failure::panicked(&*payload)));
        if self.delivery.end(outcome.is_ok()) {
            let delivery = Arc::clone(&self.delivery);
            match outcome {
                Ok(()) => self.shared.ack(delivery),
                Err(failure) => self.shared.fail(delivery, failure),
            }
        }
    }
}

impl Drop for Handed {
    fn drop(&mut self) {
        if let Some(from) = self.delivery.give_back() {
            self.shared.give_back(Arc::clone(&self.delivery), from);
        }
    }
}
