//! Drives a future on the calling thread, with ring, timers and the pool at hand.
//!
//! The thread gets a loop like a worker's. It takes no jobs of the pool; it runs the future, and what that spawns with
//! `spawn_local`.

use crate::{
    context,
    driver::{self, Driver, Port, Signal},
    event_loop::{self, Role, Step},
    local::{CloseOnDrop, Local},
    panics::contain,
    remote::Remote,
    root_waker::RootSignal,
    shared::Shared,
    trace::Span,
};
use std::{
    any::Any,
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// See [`Pool::block_on`](crate::Pool::block_on). An error is the driver's: it could not be made on this thread.
pub(crate) fn block_on<D: Driver, F: Future>(
    shared: &Arc<Shared>,
    ring_entries: u32,
    span: Span,
    future: F,
) -> io::Result<F::Output> {
    assert!(
        context::local().is_none(),
        "block_on was called on a thread that runs a loop already, a worker or another block_on; await the future instead"
    );
    let signal = Arc::new(D::signal()?);
    D::check_room(&signal, 1)?;
    let mut driver = D::new(&signal, ring_entries)?;
    let remote = Arc::new(Remote::new(None, Arc::clone(&signal) as _));
    let (output, quiet) = driver::run(&mut driver, |port| live(shared, remote, port, span, future))?;
    driver.dispose(quiet);
    signal.close();
    match output {
        Ok(output) => Ok(output),
        Err(payload) => resume_unwind(payload),
    }
}

/// The future's output, or its panic: either way the tasks beside it are ended first.
type Caught<T> = Result<T, Box<dyn Any + Send>>;

async fn live<P: Port, F: Future>(
    shared: &Arc<Shared>,
    remote: Arc<Remote>,
    mut port: P,
    mut span: Span,
    future: F,
) -> (Caught<F::Output>, bool) {
    // Let go of after the loop's tasks have ended.
    let _counted = shared.enter_loop(Arc::clone(&remote));
    let local = Local::new(Arc::clone(shared), Arc::clone(&remote));
    let entered = context::enter(Arc::clone(shared), Some(Rc::clone(&local)));
    let close = CloseOnDrop(Rc::clone(&local));
    let signal = RootSignal::new(remote, span.traced());
    let mut future = Box::pin(future);
    let mut root =
        Root { future: future.as_mut(), span: &span, waker: signal.waker(), signal, polled_last: false };
    // Ends with the future. Its own waits are named in `event_loop`.
    let mut output = event_loop::run(&local, &mut port, &mut root).await;
    // Dropped inside the driver, like any task's future; and a panic in it must not keep the tasks from their end.
    if let Err(payload) = span.scope(|| catch_unwind(AssertUnwindSafe(|| drop(future)))) {
        let displaced = std::mem::replace(&mut output, Err(payload));
        contain(|| drop(displaced));
    }
    span.close();
    drop(close);
    // Ended by the driver, within its limit.
    let quiet = port.quiesce().await;
    drop(entered);
    (output, quiet)
}

/// The role of such a loop.
struct Root<'a, F> {
    future: Pin<&'a mut F>,
    /// The future's.
    span: &'a Span,
    signal: Arc<RootSignal>,
    waker: Waker,
    /// The future was polled last: next comes a task beside it, if one is ready.
    polled_last: bool,
}

impl<F: Future> Role for Root<'_, F> {
    type Output = Caught<F::Output>;

    fn step(&mut self, local: &Local) -> Step<Caught<F::Output>> {
        local.take_inbox();
        if !(self.polled_last && local.has_ready()) && self.signal.take() {
            self.polled_last = true;
            return self.poll(local);
        }
        self.polled_last = false;
        match local.next_ready() {
            Some(task) => {
                local.run(task);
                Step::Ran
            }
            None => Step::Idle,
        }
    }

    fn has_work(&self, _local: &Local) -> bool {
        self.signal.is_set()
    }
}

impl<F: Future> Root<'_, F> {
    fn poll(&mut self, local: &Local) -> Step<Caught<F::Output>> {
        local.remote().hints.pass_on_but(self.waker.data().addr());
        let mut cx = Context::from_waker(&self.waker);
        let poll = || self.future.as_mut().poll(&mut cx);
        match self.span.scope(|| catch_unwind(AssertUnwindSafe(poll))) {
            Ok(Poll::Pending) => Step::Ran,
            Ok(Poll::Ready(output)) => Step::Done(Ok(output)),
            Err(payload) => Step::Done(Err(payload)),
        }
    }
}
