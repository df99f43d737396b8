//! The seam to the runtime underneath a loop.
//!
//! A driver is made on the thread that it drives. It runs one future, the loop, and hands it a [`Port`] with the two
//! verbs that a loop needs: *wait* until there is something to do, and *turn*, which serves timers and completions
//! without a wait. A [`Signal`] ends a wait from any thread. The pool knows no more of the runtime than this; jobs use
//! the runtime's own files, sockets and timers.

mod event_fd;
pub(crate) mod monoio;
mod ring;

pub(crate) use event_fd::EventFd;

use std::{
    future::Future,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

/// A runtime for one thread.
pub(crate) trait Driver: Sized {
    type Port: Port;

    /// Makes the runtime of the calling thread. `signal` is the one that ends its waits.
    fn new(signal: &Arc<EventFd>, ring_entries: u32) -> io::Result<Self>;

    /// Runs the loop to its end. The port is opened inside the runtime, before the first poll.
    fn run<F: Future>(&mut self, make_loop: impl FnOnce(Self::Port) -> F) -> io::Result<F::Output>;

    /// Takes the runtime down. `quiet` says that the port saw no operation left in flight; where some is, the kernel may
    /// still write into its buffer, and the runtime is leaked rather than freed under it.
    fn dispose(self, quiet: bool);
}

/// What a loop asks of its driver. Each verb is polled inside the loop's own poll.
pub(crate) trait Port {
    /// Ready once the signal was given, or the deadline has passed, or sooner if it is far away. Until then the driver may put the thread to sleep;
    /// it polls the loop when a timer or completion has woken a task.
    fn poll_wait(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()>;

    /// Pending once, while the driver serves what is due without going to sleep. The loop's next poll is after the turn.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Lets cancelled operations come back from the kernel. True: none is in flight any more. False: some are, or it can't
    /// be told.
    fn quiesce(self) -> impl Future<Output = bool>;
}

/// Ends a driver's wait from any thread. It stays set until a wait has seen it; it never blocks and never allocates.
pub(crate) trait Signal: Send + Sync {
    fn notify(&self);
}

/// Which runtime a pool's workers run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DriverKind {
    /// monoio on io_uring.
    IoUring,
    /// monoio on epoll, for kernels and containers that refuse io_uring. Files are read and written on the worker's
    /// thread, blocking it.
    Epoll,
}
