//! What a channel must be able to do to take part, and the workers that receive from it.

use std::future::Future;

/// A channel from one driver to a loop on each worker.
pub(crate) trait Channel: Sized + 'static {
    /// What the receiving loops run on.
    type Host: Host;
    type Sender<M: Send + 'static>: Send;
    type Receiver<M: Send + 'static>: Clone + Send + 'static;

    /// A channel with room for `capacity` messages, or without a bound.
    fn open<M: Send + 'static>(capacity: Option<usize>) -> (Self::Sender<M>, Self::Receiver<M>);

    /// Sends from a plain thread, and blocks it while the channel is full.
    fn send<M: Send + 'static>(sender: &Self::Sender<M>, message: M);

    /// Receives, in the way that is this channel's fastest, until all senders are gone.
    fn receive<M, E>(receiver: Self::Receiver<M>, each: E) -> impl Future<Output = ()> + 'static
    where
        M: Send + 'static,
        E: FnMut(M) + 'static;
}

/// Threads that each run one loop.
pub(crate) trait Host {
    /// Starts `workers` threads with `body` on each, and calls `driver` on this thread once all are up. Returns what
    /// `driver` returned and what each loop came to, when all have ended.
    fn run<T, Fut, B, D, R>(workers: usize, body: B, driver: D) -> (R, Vec<T>)
    where
        B: Fn(usize) -> Fut + Clone + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
        D: FnOnce() -> R;
}
