//! The one future that a loop drives for its caller: the body of a `block_on`, or what a worker makes before its first job.
//!
//! It need not be `Send`, is no task, and is counted nowhere. Tasks beside it have their turns between its polls.

use crate::{
    event_loop::{Role, Step},
    local::Local,
    remote::Remote,
    root_waker::RootSignal,
    trace::Span,
};
use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// The future's output, or its panic: either way the tasks beside it are ended first.
pub(crate) type Caught<T> = Result<T, Box<dyn Any + Send>>;

/// What a loop runs beside its tasks.
pub(crate) struct Root<'a, F> {
    future: Pin<&'a mut F>,
    /// The future's.
    span: &'a Span,
    signal: Arc<RootSignal>,
    waker: Waker,
    /// The future was polled last: next comes a task beside it, if one is ready.
    polled_last: bool,
}

impl<'a, F: Future> Root<'a, F> {
    pub(crate) fn new(future: Pin<&'a mut F>, span: &'a Span, remote: Arc<Remote>) -> Root<'a, F> {
        let signal = RootSignal::new(remote, span.traced());
        Root { future, span, waker: signal.waker(), signal, polled_last: false }
    }
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
