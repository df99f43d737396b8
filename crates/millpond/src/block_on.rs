//! Drives a future on the calling thread, with ring, timers and the pool at hand.
//!
//! The thread gets a loop like a worker's. It takes no jobs of the pool; it runs the future, and what that spawns with
//! `spawn_local`.

use crate::{
    context,
    driver::{self, Driver, Port, Signal},
    event_loop,
    local::{CloseOnDrop, Local},
    panics::contain,
    remote::Remote,
    root::{Caught, Root},
    shared::Shared,
    trace::Span,
};
use std::{
    future::Future,
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
    sync::Arc,
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
    let mut future = Box::pin(future);
    // Ends with the future. Its own waits are named in `event_loop`.
    let mut output = event_loop::run(&local, &mut port, &mut Root::new(future.as_mut(), &span, remote)).await;
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
