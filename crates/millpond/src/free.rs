//! The functions that work inside a pool, without a handle in hand.

use crate::{Broadcast, Handle, JoinHandle, SpawnOnError, WorkerId, context, task::Origin};
use std::{any::type_name, future::Future, rc::Rc};

/// Calls `f` with the present pool's handle, or panics in the name of the function that was called outside.
fn inside<R>(what: &str, f: impl FnOnce(&Handle) -> R) -> R {
    context::with_handle(f).unwrap_or_else(|error| panic!("millpond::{what}: {error}"))
}

/// Sends a job to the present pool: exactly one of its workers runs it. See [`Handle::spawn`].
///
/// ```
/// #[millpond::main]
/// async fn main() {
///     let sum = millpond::spawn(|| async { 19 + 23 });
///     assert_eq!(sum.await.unwrap(), 42);
/// }
/// ```
///
/// # Panics
/// Outside a pool.
#[track_caller]
pub fn spawn<F, Fut, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = T> + 'static,
    T: Send + 'static,
{
    let origin = Origin::here();
    inside("spawn", |pool| pool.spawn_from(origin, f))
}

/// Sends a job of the present pool that uses its worker's value of the type `S`. See [`Handle::spawn_with`].
///
/// # Panics
/// Outside a pool. If the workers of the pool keep no `S`.
#[track_caller]
pub fn spawn_with<S, F, Fut, T>(f: F) -> JoinHandle<T>
where
    S: 'static,
    F: FnOnce(Rc<S>) -> Fut + Send + 'static,
    Fut: Future<Output = T> + 'static,
    T: Send + 'static,
{
    let origin = Origin::here();
    inside("spawn_with", |pool| pool.spawn_with_from(origin, "millpond::spawn_with", f))
}

/// Sends a job to one worker of the present pool. See [`Handle::spawn_on`].
///
/// # Errors
/// If the worker is another pool's.
///
/// # Panics
/// Outside a pool.
#[track_caller]
pub fn spawn_on<F, Fut, T>(worker: WorkerId, f: F) -> Result<JoinHandle<T>, SpawnOnError<F>>
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = T> + 'static,
    T: Send + 'static,
{
    let origin = Origin::here();
    inside("spawn_on", |pool| pool.spawn_on_from(origin, worker, f))
}

/// Runs `f` once on every worker of the present pool. See [`Handle::broadcast`].
///
/// # Panics
/// Outside a pool.
#[track_caller]
pub fn broadcast<F, Fut, T>(f: F) -> Broadcast<T>
where
    F: Fn(WorkerId) -> Fut + Send + Clone + 'static,
    Fut: Future<Output = T> + 'static,
    T: Send + 'static,
{
    let origin = Origin::here();
    inside("broadcast", |pool| pool.broadcast_from(origin, f))
}

/// Runs a closure that blocks or computes for long off the workers. See [`Handle::spawn_blocking`].
///
/// # Panics
/// Outside a pool.
#[track_caller]
pub fn spawn_blocking<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let origin = Origin::here();
    inside("spawn_blocking", |pool| pool.spawn_blocking_from(origin, f))
}

/// Runs a future beside the present job, on the same thread. Neither it nor its result need be `Send`.
///
/// Inside [`Pool::block_on`](crate::Pool::block_on), and so in the body of `#[millpond::main]`, that is the calling
/// thread; what has not ended when `block_on` returns is cut off. A pool that shuts down takes no more of them, as of all
/// jobs: the handle then resolves to [`is_shutdown`](crate::JoinError::is_shutdown).
///
/// ```
/// use std::{cell::Cell, rc::Rc};
///
/// #[millpond::main]
/// async fn main() {
///     let count = Rc::new(Cell::new(0));
///     let theirs = Rc::clone(&count);
///     millpond::spawn_local(async move { theirs.set(1) }).await.unwrap();
///     assert_eq!(count.get(), 1);
/// }
/// ```
///
/// # Panics
/// Outside a pool, and inside a closure of [`spawn_blocking`], whose thread runs no futures.
#[track_caller]
pub fn spawn_local<Fut, T>(future: Fut) -> JoinHandle<T>
where
    Fut: Future<Output = T> + 'static,
    T: 'static,
{
    let origin = Origin::here();
    inside("spawn_local", |_| match context::local() {
        Some(local) => local.spawn(origin, future),
        None => panic!(
            "millpond::spawn_local: this thread runs a closure of spawn_blocking, and no futures; use millpond::spawn, which \
             sends a job to a worker"
        ),
    })
}

/// The worker that runs the present job.
///
/// ```
/// #[millpond::main(worker_threads = 2)]
/// async fn main() {
///     let ids = millpond::broadcast(|_| async { millpond::worker_id().index() }).await;
///     assert_eq!(ids.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [0, 1]);
/// }
/// ```
///
/// # Panics
/// Outside a pool, and off its workers: in the body of `main` or [`block_on`](crate::Pool::block_on), which the calling
/// thread runs, and in [`spawn_blocking`].
pub fn worker_id() -> WorkerId {
    inside("worker_id", |_| context::worker_id()).unwrap_or_else(|| {
        panic!(
            "millpond::worker_id: this thread is not a worker (the body of main and block_on run on the calling thread, \
             spawn_blocking on threads of its own); call it inside a job"
        )
    })
}

/// The present worker's value of the type `S`, made by [`Builder::worker_state`](crate::Builder::worker_state).
///
/// ```
/// use std::cell::RefCell;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// type Log = RefCell<Vec<&'static str>>;
/// let builder = millpond::Pool::builder().worker_threads(1);
/// let pool = builder.worker_state(|_| async { Ok(Log::default()) }).build()?;
/// let only = pool.workers()[0];
/// pool.spawn_on(only, || async { millpond::worker_state::<Log>().borrow_mut().push("hello") })?.join()?;
/// assert_eq!(pool.spawn(|| async { millpond::worker_state::<Log>().take() }).join()?, ["hello"]);
/// # Ok(()) }
/// ```
///
/// # Panics
/// Outside a pool, and off its workers, as [`worker_id`]. If the workers of the pool keep no `S`, or none yet: in the start
/// hook, and in the factories up to this value's own.
#[track_caller]
pub fn worker_state<S: 'static>() -> Rc<S> {
    inside("worker_state", |pool| {
        pool.shared().expect_state::<S>("millpond::worker_state");
        let local = context::local().filter(|local| local.remote().worker().is_some());
        match local.map(|local| local.states().get()) {
            Some(Some(state)) => state,
            Some(None) => panic!(
                "millpond::worker_state: this worker has no {} any more, or none yet; it is there from its factory's end until \
                 the worker's last job has ended",
                type_name::<S>()
            ),
            None => panic!(
                "millpond::worker_state: this thread is not a worker (the body of main and block_on run on the calling thread, \
                 spawn_blocking on threads of its own); call it inside a job"
            ),
        }
    })
}
