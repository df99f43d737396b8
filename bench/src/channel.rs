//! What a channel must be able to do to take part, and the workers that receive from it.

use std::future::Future;

/// A channel from one driver to a loop on each worker: its two ends, how the loops receive, and what they run on.
pub(crate) trait Channel: Sized + 'static {
    /// What the receiving loops run on.
    type Host: Host;
    /// What is opened, and sent by.
    type Ends: Ends;

    /// Receives until all senders are gone.
    fn receive<M, E>(receiver: Receiver<Self, M>, each: E) -> impl Future<Output = ()> + 'static
    where
        M: Send + 'static,
        E: FnMut(M) + 'static;

    /// As [`Ends::open`].
    fn open<M: Send + 'static>(capacity: Option<usize>) -> (Sender<Self, M>, Receiver<Self, M>) {
        Self::Ends::open(capacity)
    }

    /// As [`Ends::send`].
    fn send<M: Send + 'static>(sender: &Sender<Self, M>, message: M) {
        Self::Ends::send(sender, message);
    }
}

/// The two ends of a channel, whichever way it is received from.
pub(crate) trait Ends: 'static {
    type Sender<M: Send + 'static>: Send;
    type Receiver<M: Send + 'static>: Clone + Send + 'static;

    /// A channel with room for `capacity` messages, or without a bound.
    fn open<M: Send + 'static>(capacity: Option<usize>) -> (Self::Sender<M>, Self::Receiver<M>);

    /// Sends from a plain thread, and blocks it while the channel is full.
    fn send<M: Send + 'static>(sender: &Self::Sender<M>, message: M);
}

pub(crate) type Sender<C, M> = <<C as Channel>::Ends as Ends>::Sender<M>;
pub(crate) type Receiver<C, M> = <<C as Channel>::Ends as Ends>::Receiver<M>;

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
