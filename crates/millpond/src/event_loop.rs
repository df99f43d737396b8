//! The loop that runs tasks inside a driver: for a worker, and for the thread of a `block_on`.
//!
//! One poll of the loop runs work until there is none, or until the driver's turn is due. The two kinds differ in what
//! they run and in what may wake them; that is their [`Role`].

use crate::{
    budget::Budget, channel::NO_TASK, driver::Port, local::Local, metrics::Counters, spin, spin::Spin,
    sync::thread,
};
use std::{
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll},
    time::Instant,
};

/// What a loop runs.
pub(crate) trait Role {
    type Output;

    /// Runs one poll of whatever comes next.
    fn step(&mut self, local: &Local) -> Step<Self::Output>;

    /// The loop is about to sleep: from now on whoever brings work of this role's kind must find it asleep.
    fn announce(&mut self, _local: &Local) {}

    /// The loop is up again.
    fn get_up(&mut self) {}

    /// Looks once more, after the announcement, for all that the role alone knows of.
    fn has_work(&self, local: &Local) -> bool;

    /// When the loop has to look again whatever comes.
    fn deadline(&self) -> Option<Instant> {
        None
    }
}

pub(crate) enum Step<T> {
    Ran,
    Idle,
    Done(T),
}

struct EventLoop<'a, R, P> {
    local: &'a Rc<Local>,
    port: &'a mut P,
    role: &'a mut R,
    budget: Budget,
    spin: Spin,
    /// The driver has its turn: it has to end before anything else is asked of the port.
    turning: bool,
}

/// Runs the role's work to its end.
pub(crate) async fn run<R: Role, P: Port>(local: &Rc<Local>, port: &mut P, role: &mut R) -> R::Output {
    let mut event_loop =
        EventLoop { local, port, role, budget: Budget::new(), spin: Spin::new(), turning: false };
    local.counters().time.begin(event_loop.budget.read_at());
    // Woken by the driver: for tasks of this thread (`Local::wake_loop`), for the seat's signal, which brings all that
    // comes from other threads, and for the role's deadline.
    let output = poll_fn(|cx| event_loop.poll(cx)).await;
    local.counters().time.rest(event_loop.budget.read(local.counters()));
    local.remote().load.set_idle();
    output
}

impl<R: Role, P: Port> EventLoop<'_, R, P> {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<R::Output> {
        let _polling = self.local.begin_polling(cx.waker());
        self.get_up();
        if !self.turning {
            self.budget.renew();
        } else if self.turn(cx).is_pending() {
            return Poll::Pending;
        }
        loop {
            let was_idle = self.spin.is_idle();
            let brought = was_idle && self.is_brought_work();
            if brought || was_idle && self.local.has_ready() {
                // Before the poll, for whoever looks at a loop that is in a long one.
                self.counters().time.resume(self.budget.read_at());
            }
            match self.role.step(self.local) {
                Step::Done(output) => return Poll::Ready(output),
                Step::Ran => {
                    if was_idle {
                        self.found_work(brought);
                    }
                    if self.budget.spend_one(self.local.counters()) && self.turn(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
                Step::Idle if self.found_nothing() => {
                    if spin::look(|| self.is_brought_work()) {
                        continue;
                    }
                    // Looks again after a turn, with which the driver's own events come in too. Whoever shares the CPU may
                    // be the one that brings work.
                    thread::yield_now();
                    if self.turn(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
                Step::Idle => {
                    if self.rest(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    /// Notes that there was nothing to do until the clock was read last: before the poll that has just been.
    fn found_work(&mut self, brought: bool) {
        let at = self.budget.read_at();
        self.spin.found_work(brought, at);
        self.counters().time.resume(at);
    }

    /// Notes that there is nothing to do. True: it should look again, and not sleep yet.
    fn found_nothing(&mut self) -> bool {
        let at = self.budget.read(self.local.counters());
        self.counters().time.rest(at);
        self.local.remote().load.set_idle();
        self.spin.found_nothing(at)
    }

    /// Gives the driver its turn. Pending: it has it, and polls the loop again after it.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What runs in there is the runtime's, and no task of ours.
        self.local.remote().load.set_idle();
        let polled = self.port.poll_turn(cx);
        self.turning = polled.is_pending();
        if polled.is_ready() {
            self.budget.renew();
            self.counters().driver_turns.add_one();
        }
        polled
    }

    /// Announces sleep, looks once more, and waits. Ready: there is something to do after all.
    fn rest(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // A receiver that was woken and is not polled, in a future that is kept and not looked at, is not to be waited for.
        self.local.remote().hints.pass_on_but(NO_TASK);
        self.local.remote().seat.announce();
        self.role.announce(self.local);
        let found = self.local.has_ready() || self.is_brought_work();
        // Ended by the seat's signal: whoever brings work after the look above sees the announcement (see `sleep`). To wait
        // is to queue an operation, for which a full ring may be served, so a task may have become ready by it.
        if found || self.port.poll_wait(cx, self.role.deadline()).is_ready() || self.local.has_ready() {
            self.get_up();
            return Poll::Ready(());
        }
        self.counters().parks.add_one();
        Poll::Pending
    }

    /// Other threads have brought something.
    fn is_brought_work(&self) -> bool {
        !self.local.remote().inbox.is_empty() || self.role.has_work(self.local)
    }

    fn counters(&self) -> &Counters {
        self.local.counters()
    }

    fn get_up(&mut self) {
        self.local.remote().seat.get_up();
        self.role.get_up();
    }
}
