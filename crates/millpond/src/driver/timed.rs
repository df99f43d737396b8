//! Adds the timers of a loop to what its driver offers: to a driver they are the deadline of a wait, and no more.

use super::{
    Driver, Port,
    timers::{self, Timers},
};
use std::{
    future::Future,
    io,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Instant,
};

/// A driver's port with timers.
pub(crate) struct Timed<P> {
    port: P,
    timers: Rc<Timers>,
}

/// Runs a loop in the driver to its end, with timers for its tasks.
pub(crate) fn run<D: Driver, F: Future>(
    driver: &mut D,
    make_loop: impl FnOnce(Timed<D::Port>) -> F,
) -> io::Result<F::Output> {
    let timers = Rc::new(Timers::default());
    let _entered = timers::enter(Rc::clone(&timers));
    driver.run(|port| make_loop(Timed { port, timers }))
}

impl<P: Port> Port for Timed<P> {
    fn poll_wait(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        if self.timers.fire() {
            return Poll::Ready(());
        }
        let next = [deadline, self.timers.next_deadline()].into_iter().flatten().min();
        // Ended by the driver when the next timer is due, and by what ends the driver's own waits. No timer can start
        // meanwhile but by a poll of this loop.
        self.port.poll_wait(cx, next)
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Ended by the driver's turn.
        ready!(self.port.poll_turn(cx));
        self.timers.fire();
        Poll::Ready(())
    }

    async fn quiesce(self) -> bool {
        // Ended by the driver, within its limit.
        self.port.quiesce().await
    }
}
