//! What a worker keeps for its jobs: one value of each type that the builder was given a factory for.
//!
//! A value is made on its worker, inside its runtime and before its first job; jobs there share it as an `Rc`; and it is
//! dropped there after the last of them. So it need not be `Send`, and no lock is needed to use it.

use crate::{
    BuildError, WorkerId,
    driver::Port,
    event_loop::{self, Role, Step},
    local::Local,
    panics::contain,
    root::{Caught, Root},
    shared::Shared,
    task::Origin,
    trace::Span,
};
use std::{
    any::{Any, TypeId, type_name},
    cell::RefCell,
    error::Error,
    fmt,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    rc::Rc,
    sync::Arc,
};

type Made = Result<Rc<dyn Any>, Box<dyn Error + Send + Sync>>;
type Make = dyn Fn(WorkerId) -> Pin<Box<dyn Future<Output = Made>>> + Send + Sync;

/// How each worker's value of one type is made.
#[derive(Clone)]
pub(crate) struct Factory {
    of: TypeId,
    type_name: &'static str,
    /// Where the builder was given it.
    origin: Origin,
    make: Arc<Make>,
}

impl Factory {
    pub(crate) fn new<S, F, Fut>(origin: Origin, factory: F) -> Factory
    where
        S: 'static,
        F: Fn(WorkerId) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<S, Box<dyn Error + Send + Sync>>> + 'static,
    {
        let make = move |worker| -> Pin<Box<dyn Future<Output = Made>>> {
            let made = factory(worker);
            // Ended as the user's future is.
            Box::pin(async { Ok(Rc::new(made.await?) as Rc<dyn Any>) })
        };
        Factory { of: TypeId::of::<S>(), type_name: type_name::<S>(), origin, make: Arc::new(make) }
    }

    pub(crate) fn makes<S: 'static>(&self) -> bool {
        self.of == TypeId::of::<S>()
    }

    pub(crate) fn makes_the_same_as(&self, other: &Factory) -> bool {
        self.of == other.of
    }

    pub(crate) fn type_name(&self) -> &'static str {
        self.type_name
    }
}

/// The values of one worker.
#[derive(Default)]
pub(crate) struct States {
    /// In the order in which they were made. Pushed to before the first job, taken from after the last.
    values: RefCell<Vec<Rc<dyn Any>>>,
}

impl States {
    pub(crate) fn get<S: 'static>(&self) -> Option<Rc<S>> {
        self.values.borrow().iter().find_map(|value| Rc::clone(value).downcast().ok())
    }

    /// Drops them, the last one first: it may use those before it.
    pub(crate) fn drop_all(&self) {
        loop {
            // Out of the cell first: its drop may look in.
            let value = self.values.borrow_mut().pop();
            let Some(value) = value else { return };
            contain(|| drop(value));
        }
    }
}

/// Makes the values of a worker, one after the other.
pub(crate) async fn make_all<P: Port>(
    local: &Rc<Local>,
    port: &mut P,
    shared: &Shared,
    worker: WorkerId,
) -> Result<(), BuildError> {
    for factory in &shared.states {
        let future = match catch_unwind(AssertUnwindSafe(|| (factory.make)(worker))) {
            Ok(future) => future,
            Err(payload) => return Err(BuildError::state_panicked(worker, factory, payload)),
        };
        // Ended as `drive` is.
        match drive(local, port, shared, factory, worker, future).await {
            Some(Ok(Ok(value))) => local.states().values.borrow_mut().push(value),
            Some(Ok(Err(error))) => return Err(BuildError::state(worker, factory, error)),
            Some(Err(payload)) => return Err(BuildError::state_panicked(worker, factory, payload)),
            None => return Err(BuildError::worker_died()),
        }
    }
    Ok(())
}

/// Drives a factory's future to its end. `None`: the pool ended before, as another worker has not come up.
async fn drive<P: Port>(
    local: &Rc<Local>,
    port: &mut P,
    shared: &Shared,
    factory: &Factory,
    worker: WorkerId,
    mut future: Pin<Box<dyn Future<Output = Made>>>,
) -> Option<Caught<Made>> {
    let mut span = Span::of_local(factory.origin, size_of_val(&*future), Some(worker));
    let root = Root::new(Pin::new(&mut future), &span, Arc::clone(local.remote()));
    // Ends with the future, or with the pool. Its own waits are named in `event_loop`.
    let output = event_loop::run(local, port, &mut Making { root, shared }).await;
    // Inside the driver, like any task's future.
    span.scope(|| contain(|| drop(future)));
    span.close();
    output
}

/// The role of a worker's loop before its first job.
struct Making<'a, F> {
    root: Root<'a, F>,
    /// Its end is the end of this, too.
    shared: &'a Shared,
}

impl<F: Future> Role for Making<'_, F> {
    type Output = Option<Caught<F::Output>>;

    fn step(&mut self, local: &Local) -> Step<Self::Output> {
        if !self.shared.is_running() {
            return Step::Done(None);
        }
        match self.root.step(local) {
            Step::Ran => Step::Ran,
            Step::Idle => Step::Idle,
            Step::Done(output) => Step::Done(Some(output)),
        }
    }

    fn has_work(&self, local: &Local) -> bool {
        self.root.has_work(local) || !self.shared.is_running()
    }
}

impl fmt::Debug for Factory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Factory").field("of", &self.type_name).finish_non_exhaustive()
    }
}
