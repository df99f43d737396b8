//! A pool of pinned monoio workers: `spawn` sends a job, and exactly one worker runs it.

mod allowance;
mod block_on;
mod blocking;
mod broadcast;
mod budget;
mod build_error;
mod builder;
mod context;
mod cpus;
mod doctor;
mod driver;
mod error;
mod event_loop;
mod free;
mod handle;
mod hooks;
mod inbox;
mod join;
mod join_error;
mod launch;
mod limits;
mod local;
#[cfg(all(test, millpond_loom))]
mod models;
mod panics;
mod park;
mod pool;
mod queue;
mod remote;
mod root_waker;
mod shared;
mod shrink;
mod shutdown;
mod sleep;
mod sync;
mod task;
mod worker;
mod worker_id;

pub use broadcast::Broadcast;
pub use build_error::BuildError;
pub use builder::{Builder, Driver, Pin};
pub use doctor::{Check, Report, Verdict, doctor};
pub use driver::DriverKind;
pub use error::{NoPoolError, SpawnOnError, SubmitError, TrySpawnError};
pub use free::{broadcast, spawn, spawn_blocking, spawn_local, spawn_on, worker_id};
pub use handle::Handle;
pub use join::{AbortHandle, JoinHandle};
pub use join_error::JoinError;
pub use pool::Pool;
pub use shutdown::Receipt;
pub use worker_id::WorkerId;

/// Builds a [`Pool`] and runs the body of an `async fn` on it, once.
///
/// The body runs on the calling thread, whatever the number of workers, as in [`Pool::block_on`]: it need not be
/// `Send`, files, sockets and timers of monoio work in it, and [`spawn`] and its sisters send jobs to the workers. It
/// takes no jobs itself. Inside, it is an ordinary `async fn`: `return`, `?` and any return type do what they do there.
///
/// ```
/// #[millpond::main(worker_threads = 3)]
/// async fn main() -> Result<(), millpond::JoinError> {
///     let sum = millpond::spawn(|| async { 19 + 23 }); // one of the three workers runs it
///     println!("{}", sum.await?); // printed once
///     Ok(())
/// }
/// ```
///
/// # The end of the body
/// The pool is dropped when the body ends: jobs that still run are cut off, jobs that have not started never do, and
/// the workers' threads are joined before the function returns. Await the handles of all that is to be finished, or
/// make the pool by hand and end it with [`Pool::shutdown`], which lets it finish.
///
/// # Arguments
/// Each stands for the [`Builder`]'s method of its name, and has that method's default. Values are written out.
///
/// | argument | value | default |
/// |---|---|---|
/// | [`worker_threads`](Builder::worker_threads) or `threads` | a number from 1 to 65,535 | the CPUs this process may use |
/// | [`driver`](Builder::driver) | `"auto"`, `"io_uring"` or `"epoll"` | `"auto"` |
/// | [`pin`](Builder::pin) | `"cores"` or `"none"` | `"cores"` |
/// | [`queue_capacity`](Builder::queue_capacity) | a number of at least 1 | 65,536 |
/// | [`max_tasks_per_worker`](Builder::max_tasks_per_worker) | a number of at least 1 | no limit |
/// | [`ring_entries`](Builder::ring_entries) | a number from 1 to 32,768 | 1,024 |
/// | [`thread_name`](Builder::thread_name) | a text | `"millpond"` |
/// | `crate` | a path | `millpond` |
///
/// `crate` says where millpond is found, for a crate that renames or re-exports it:
///
/// ```
/// use millpond as pond;
///
/// #[pond::main(crate = "pond", worker_threads = 1, driver = "epoll", thread_name = "mill")]
/// async fn main() {
///     let name = pond::spawn(|| async { std::thread::current().name().map(str::to_owned) }).await;
///     assert_eq!(name.unwrap().unwrap(), "mill-0");
/// }
/// ```
///
/// For values that are computed, hooks, or [`Pin::To`], make the pool with [`Pool::builder`] and call
/// [`Pool::block_on`]: the macro does no more.
///
/// The function may have another name than `main`; each call of it builds a pool of its own.
///
/// # Errors
/// It does not compile with an argument that is unknown, given twice, of the wrong type or out of range, nor on a
/// function that is not async, takes parameters, or is generic. The error stands at that token.
///
/// If the pool cannot be built, the function writes the [`BuildError`] to stderr and exits the process with status 1.
///
/// # Panics
/// With the body's own panic; and when called inside a job or another such body: see [`Pool::block_on`].
#[cfg(feature = "macros")]
pub use millpond_macros::main;

/// Makes an `async fn` a test: it builds a [`Pool`] and runs the body on it, once.
///
/// ```
/// #[millpond::test]
/// async fn adds() -> Result<(), millpond::JoinError> {
///     let sum = millpond::spawn(|| async { 19 + 23 });
///     assert_eq!(sum.await?, 42);
///     Ok(())
/// }
///
/// #[millpond::test(worker_threads = 4, driver = "epoll")]
/// #[should_panic(expected = "seen by the harness")]
/// async fn panics() {
///     panic!("seen by the harness");
/// }
/// ```
///
/// The function becomes a `#[test]`, without arguments; `#[should_panic]`, `#[ignore]` and a `Result` work as on any
/// other. The body runs on the test's thread, and its end drops the pool, as in [`main`](macro@main). If the pool cannot
/// be built, the test panics with the [`BuildError`].
///
/// # Arguments
/// Those of [`main`](macro@main), with two defaults of its own: `worker_threads = 2`, since one worker hides what goes
/// wrong between two, and `pin = "none"`, since the tests of a file run beside each other in one process, and pinned,
/// all their pools would share the first CPUs.
#[cfg(feature = "macros")]
pub use millpond_macros::test;
