//! A driver without I/O: the thread parks until there is something to do.
//!
//! It asks nothing of the kernel but what `std` does, so it runs wherever threads do, under Miri and model checkers too.

use super::{Driver, Port, Signal};
use crate::sync::{Condvar, Mutex, lock, now, wait, wait_timeout};
use std::{
    cell::Cell,
    future::Future,
    io,
    pin::pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    time::Instant,
};

/// Parks the thread where the others wait for the kernel.
pub(crate) struct Park {
    signal: Arc<Flag>,
}

/// Polls nothing but the signal and the clock.
pub(crate) struct ParkPort {
    signal: Arc<Flag>,
    /// Written by a wait, taken by [`Park::run`] when the loop is pending: when it has to be polled again whatever comes.
    until: Rc<Cell<Option<Instant>>>,
}

impl Driver for Park {
    type Signal = Flag;
    type Port = ParkPort;

    fn signal() -> io::Result<Flag> {
        Ok(Flag::new())
    }

    fn check_room(_signal: &Flag, _drivers: usize) -> io::Result<()> {
        Ok(())
    }

    fn new(signal: &Arc<Flag>, _ring_entries: u32) -> io::Result<Park> {
        Ok(Park { signal: Arc::clone(signal) })
    }

    fn run<F: Future>(&mut self, make_loop: impl FnOnce(ParkPort) -> F) -> io::Result<F::Output> {
        let until = Rc::new(Cell::new(None));
        let port = ParkPort { signal: Arc::clone(&self.signal), until: Rc::clone(&until) };
        let waker = Waker::from(Arc::clone(&self.signal));
        let mut cx = Context::from_waker(&waker);
        let mut event_loop = pin!(make_loop(port));
        loop {
            if let Poll::Ready(output) = event_loop.as_mut().poll(&mut cx) {
                return Ok(output);
            }
            // Ended by the signal, which stays set if it came during the poll, or by the deadline of the loop's wait.
            self.signal.wait(until.take());
        }
    }

    fn dispose(self, _quiet: bool) {}
}

impl Port for ParkPort {
    fn poll_wait(&mut self, _cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        if self.signal.take() || deadline.is_some_and(|deadline| deadline <= now()) {
            return Poll::Ready(());
        }
        self.until.set(deadline);
        Poll::Pending
    }

    fn poll_turn(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        // Nothing is ever due here.
        Poll::Ready(())
    }

    async fn quiesce(self) -> bool {
        true
    }
}

/// The signal of a parked thread. Not the token of `std`'s own `park`: a job that parks the thread would take that one.
pub(crate) struct Flag {
    /// Set by whoever notifies, taken back by the one thread that waits.
    given: Mutex<bool>,
    changed: Condvar,
}

impl Flag {
    fn new() -> Flag {
        Flag { given: Mutex::new(false), changed: Condvar::new() }
    }

    /// Takes the signal back. False: it was not given.
    fn take(&self) -> bool {
        std::mem::take(&mut *lock(&self.given))
    }

    /// Returns once the signal was given, and takes it back; or once the deadline has passed.
    fn wait(&self, deadline: Option<Instant>) {
        let mut given = lock(&self.given);
        while !std::mem::take(&mut *given) {
            // Ended by `notify`, which sets the flag under the lock: before the look above, or after this wait has begun and
            // let the lock go. Or by the deadline.
            given = match deadline.map(|deadline| deadline.saturating_duration_since(now())) {
                None => wait(&self.changed, given),
                Some(left) if left.is_zero() => return,
                Some(left) => wait_timeout(&self.given, &self.changed, given, left),
            };
        }
    }
}

impl Signal for Flag {
    fn notify(&self) {
        *lock(&self.given) = true;
        self.changed.notify_one();
    }
}

/// Has the loop polled again.
impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.notify();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.notify();
    }
}
