//! The seam to the runtime underneath a loop.
//!
//! A driver is made on the thread that it drives. It runs one future, the loop, and hands it a [`Port`] with the two
//! verbs that a loop needs: *wait* until there is something to do, and *turn*, which serves timers and completions
//! without a wait. A [`Signal`] ends a wait from any thread. The pool knows no more of the runtime than this; jobs use
//! the runtime's own files and sockets, if it has any. Timers are the loop's own, in [`timers`].

pub(crate) mod event_fd;
pub(crate) mod kind;
mod monoio;
mod park;
pub(crate) mod ring;
mod timed;
pub(crate) mod timers;

pub(crate) use self::{
    kind::{DriverKind, on_driver},
    monoio::{Epoll, IoUring},
    park::Park,
    timed::run,
};

use std::{
    future::Future,
    io,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

/// A runtime for one thread.
pub(crate) trait Driver: Sized {
    /// What ends its waits.
    type Signal: Signal + 'static;
    type Port: Port;

    /// Makes the signal of one driver, on whatever thread.
    fn signal() -> io::Result<Self::Signal>;

    /// Whether the machine has room for what as many drivers will open beside their signals. Asked before any of them is
    /// made, with one of the signals at hand.
    fn check_room(signal: &Self::Signal, drivers: usize) -> io::Result<()>;

    /// Makes the runtime of the calling thread. `signal` is the one that ends its waits.
    fn new(signal: &Arc<Self::Signal>, ring_entries: u32) -> io::Result<Self>;

    /// Runs the loop to its end. The port is opened inside the runtime, before the first poll.
    fn run<F: Future>(&mut self, make_loop: impl FnOnce(Self::Port) -> F) -> io::Result<F::Output>;

    /// Takes the runtime down. `quiet` says that the port saw no operation left in flight; where some is, the kernel may
    /// still write into its buffer, and the runtime is leaked rather than freed under it.
    fn dispose(self, quiet: bool);
}

/// What a loop asks of its driver. Each verb is polled inside the loop's own poll.
pub(crate) trait Port {
    /// Ready once the signal was given, or the deadline has passed, or sooner if it is far away. Until then the driver may
    /// put the thread to sleep; it polls the loop when a timer or completion has woken a task.
    fn poll_wait(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()>;

    /// Ready once the driver has served what is due, without going to sleep. One that can do so only outside the loop's poll
    /// is pending until then, and polls the loop after the turn.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Lets cancelled operations come back from the kernel. True: none is in flight any more. False: some are, or it can't
    /// be told.
    fn quiesce(self) -> impl Future<Output = bool>;
}

/// Ends a driver's wait from any thread. It stays set until a wait has seen it; it never blocks and never allocates.
pub(crate) trait Signal: Send + Sync {
    fn notify(&self);

    /// Ends its use: the loop whose waits it ended has gone. What it holds of the machine goes back; whoever still keeps it
    /// may go on to notify.
    fn close(&self) {}
}
