//! A pool of pinned [monoio] workers, each with its own io_uring: [`spawn`] sends a job, and exactly one worker runs it.
//!
//! monoio is thread-per-core: a future never leaves the thread that polls it, and `#[monoio::main(threads = 3)]` runs the
//! *whole body* three times. millpond is for those who have anything else to share out than accepted connections: files,
//! requests, jobs from a queue. The body runs once; what it spawns runs on whichever worker is free.
//!
//! ```
//! #[millpond::main(worker_threads = 3)]
//! async fn main() -> std::io::Result<()> {
//!     let wrote = millpond::spawn(|| async {
//!         // On one of the three workers, with its ring at hand.
//!         let file = monoio::fs::File::create("/tmp/hello.txt").await?;
//!         file.write_all_at(b"world".to_vec(), 0).await.0
//!     });
//!     wrote.await.expect("the job ran")?;
//!     println!("wrote to file!"); // once
//!     Ok(())
//! }
//! ```
//!
//! # Six names
//!
//! | name | what for |
//! |---|---|
//! | [`main`](macro@main) | The body of a program, run once, with a pool around it. |
//! | [`Pool`] | The same by hand: [settings](Builder), the end in order, more than one. Its [`Handle`] goes to any thread. |
//! | [`spawn`] | Sends a job; exactly one worker runs it. |
//! | [`JoinHandle`] | Its result, awaited anywhere; or its abort. |
//! | [`channel`] | Messages of one type, for a loop on each worker. |
//! | [`net::serve`](net::serve()) | Connections, each for the worker with the fewest. |
//!
//! The rest are variations on these: [which spawn](#which-spawn) for what.
//!
//! # One job, from its start to its end
//!
//! A **job** is a closure that is `Send` and makes a future that need not be. The closure crosses to a worker; the future
//! is made there, polled there and dropped there, so it may hold an `Rc` over its awaits, and monoio's files and sockets.
//!
//! ```
//! use std::{cell::RefCell, rc::Rc};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = millpond::Pool::builder().worker_threads(2).build()?;
//! let lines = pool.spawn(|| async {
//!     let seen = Rc::new(RefCell::new(Vec::new())); // made on the worker, and never leaves it
//!     let theirs = Rc::clone(&seen);
//!     millpond::spawn_local(async move { theirs.borrow_mut().push("beside") }).await.unwrap();
//!     seen.borrow_mut().push("behind");
//!     seen.take()
//! });
//! # assert_eq!(lines.join()?, ["beside", "behind"]);
//! # Ok(()) }
//! ```
//!
//! The [`JoinHandle`] waits for its result: awaited on any executor, or with [`join`](JoinHandle::join) on a plain thread.
//! It always resolves. A job that panics harms itself only, and its handle says so; one that is
//! [aborted](JoinHandle::abort) is dropped on its own worker; one that a shutdown came before never starts.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let pool = millpond::Pool::builder().worker_threads(2).build()?;
//! let job = pool.spawn(|| async { [1, 2, 3][if true { 3 } else { 0 }] });
//! let error = job.join().unwrap_err();
//! assert!(error.is_panic());
//! println!("{error}"); // the job panicked on worker 1: index out of bounds: …
//! # Ok(()) }
//! ```
//!
//! Inside a job, await what you like: flume's and tokio's channels, a oneshot, another job's handle, fed from any thread;
//! a time to come, by [`time`]. Tasks are the pool's own, and so are their wakers; they need nothing of monoio's `sync` feature.
//!
//! # Which spawn
//!
//! | call | runs | when the queue is full |
//! |---|---|---|
//! | [`spawn`] | on whichever worker is free | sends all the same |
//! | [`Handle::try_spawn`] | likewise | gives the closure back |
//! | [`Handle::submit`], [`submit_blocking`](Handle::submit_blocking) | likewise | waits for room, in order |
//! | [`spawn_with`] | likewise, with what that worker keeps for its jobs | sends all the same |
//! | [`spawn_on`], [`Handle::spawn_by_key`] | on that worker, on the key's worker | has a queue of its own |
//! | [`broadcast`](broadcast()) | once on every worker | has queues of its own |
//! | [`spawn_local`] | a future on this very thread | has a queue of its own |
//! | [`spawn_blocking`] | a closure off the workers | has threads of its own |
//!
//! For the items of a stream, [`Handle::map_unordered`], [`map_ordered`](Handle::map_ordered) and
//! [`for_each`](Handle::for_each) spawn a job each, with so many in flight and no more; see [`streams`].
//!
//! Where all jobs are of one type, a [`channel`] to a loop on each worker costs far less for each.
//!
//! # The end
//!
//! Dropping a [`Pool`] cuts off. [`Pool::shutdown`] lets all that was accepted run to its end, and
//! [`shutdown_timeout`](Pool::shutdown_timeout) does so for a while. Both give a [`Receipt`] of what became of every job.
//!
//! # When not to use it
//!
//! - A server whose connections are many, short and alike: monoio with `SO_REUSEPORT` has nothing to share out. With few,
//!   long or unlike ones, see [`net`].
//! - Work that is all computing: rayon splits it finer. Beside I/O, pieces of up to some 100 µs may be jobs; for longer ones
//!   see [`Handle::spawn_blocking`].
//! - Futures that must move between threads while they run, as tokio's do.
//! - Anything but Linux.
//!
//! # In containers
//!
//! Docker's default profile refuses io_uring. A pool then runs on epoll, and says so once on stderr; [`doctor()`] prints
//! what the machine allows and what to do about it.
//!
//! # Examples
//!
//! Nine programs come with the source.
//!
//! `hello` is the program at the top of this page, and says what `#[monoio::main(threads = 3)]` makes of it: three files
//! created, three lines printed.
//!
//! `compute` sends 100 million typed jobs from one driver, divides by zero in some, and checks each answer:
//!
//! ```text
//! $ cargo run --release --example compute -- --jobs 3000000
//! worker          CPU          jobs   share   busy
//! worker 0          0     1,189,370  39.6 % 30.1 %
//! worker 1          1     1,810,630  60.4 % 41.8 %
//! total                   3,000,000 in 0.88 s, 3,405,214 jobs/s
//! Add 749,836, Sub 749,789, Mul 750,090, Div 750,285 (by zero 46,735)
//! every answer is right, and the checksum c981060077c51a61 is that of one plain loop (0.06 s)
//! ```
//!
//! `doctor` prints what this machine allows, and what to do about the rest; see [`doctor()`].
//!
//! `checksum` prints the BLAKE3 sums of files and whole trees as `b3sum` does, read with io_uring on all workers:
//!
//! ```text
//! $ cargo run --release --example checksum -- PATH… >sums
//! $ cargo run --release --example checksum -- --check sums
//! ```
//!
//! `proxy` passes TCP and Unix connections on to another server. `net` shares them out over the workers, and each worker
//! counts what it moves:
//!
//! ```text
//! $ cargo run --release --example proxy -- 127.0.0.1:6380 127.0.0.1:6379
//! ```
//!
//! `http` serves the files of a folder by HTTP/1.1 and HTTP/2, on [`net`] and hyper: ranges, conditions, keep-alive, limits on
//! what a client may cost, and an end in order at SIGTERM:
//!
//! ```text
//! $ cargo run --release --example http -- DIR
//! listening on http://127.0.0.1:8080
//! ```
//!
//! `from_tokio`, `from_smol` and `from_threads` are programs of another runtime, or of none, that give their files to a pool:
//! they submit jobs and await them under a limit of time, and jobs await what comes from there. A whole server on axum and
//! tokio whose files are a pool's is in the repository, as the crate `millpond-axum-example`.
//!
//! # Seeing inside
//!
//! [`Handle::metrics`] says what a pool has done and does now: how full it is, how busy each worker, how long jobs waited and
//! polls took; see [`metrics`]. [`Handle::stalls`] names the tasks that held a worker up, and [`Builder::on_stall`] is told of
//! each while it does. [millpond-dashboard] shows it all on a live page, and to Prometheus.
//!
//! With the feature `tracing` each job is a span besides, for whatever subscriber the program has: logs, OpenTelemetry, or
//! tokio-console. The span is made where the job is spawned, as a child of the span that is current there. It is current
//! whenever the job is polled or dropped, and closed before the job's handle resolves. A span stays open as long as its
//! children: so what a job spawns, under no span of its own making, is no child of the job's span, but of that one's
//! parent, and follows from the job. A stall is an event at `WARN`, with the target `millpond::stall`.
//!
//! The spans are as tokio's, at `TRACE`: they are called `runtime.spawn`, have the target `tokio::task` (of blocking closures
//! `tokio::task::blocking`), and the fields `kind` (`task`, `local`, `blocking` or `block_on`), `task.name`, `task.id`,
//! `size.bytes`, `worker`, `loc.file`, `loc.line` and `loc.col`. Events with the target `tokio::task::waker` tell what is done
//! with wakers. Until a filter asks for them, a job pays for one look. For logs that say which job they come from:
//!
//! ```text
//! $ RUST_LOG=info,tokio::task=trace,tokio::task::waker=off cargo run
//! INFO request{id=7}:runtime.spawn{kind="task" task.name="hash" task.id=1 … worker=0}: app: done with it
//! WARN millpond::stall: a task holds its worker worker=0 task.name="hash" held_ms=10 loc.file="src/main.rs" loc.line=6 loc.col=30
//! ```
//!
//! [tokio-console] shows the tasks of a running program: their names, places, polls, busy and idle times, wakes and wakers,
//! and warns of those that nothing will wake. The program calls `console_subscriber::init()` first of all, and is built with a
//! flag that says that there is no tokio to be shown:
//!
//! ```text
//! $ cargo add millpond --features tracing
//! $ cargo add console-subscriber --no-default-features
//! $ RUSTFLAGS="--cfg console_without_tokio_unstable" cargo run
//!
//! $ cargo install --locked tokio-console   # in another terminal
//! $ tokio-console
//! ID  State  Name     Total▿ Busy   Sched  Idle   Polls Kind     Location          Fields
//!   1 ⏸      ticker      11s   11ms   31ms    11s 108   task     src/main.rs:6:34  size.bytes=56 target=tokio::task
//!   2 ⏸      consumer    11s     3s   79ms     7s 344   task     src/main.rs:12:28 size.bytes=56 target=tokio::task
//!   4 ▶      sleeper     11s    11s    0ns    1ms 1     blocking src/main.rs:24:27 size.bytes=0 target=tokio::task::blocking
//!   7 ⏸                  11s   33µs    0ns    11s 1     block_on src/main.rs:30:10 size.bytes=40 target=tokio::task
//! ```
//!
//! It does not show fields that come later, and so a `worker` for `local` tasks only. A filter of the program's own above the
//! console's layer has to let `tokio=trace,runtime=trace` through. And `console-subscriber` takes some 5 µs and 35 KiB for each
//! job, which it keeps for an hour after its end: with many short jobs, give the program `TOKIO_CONSOLE_RETENTION=10s`.
//!
//! [tokio-console]: https://docs.rs/tokio-console
//! [millpond-dashboard]: https://docs.rs/millpond-dashboard
//!
//! A job that computes for long, or calls what blocks, keeps its worker from everything else. The pool notices while it does:
//! [`Handle::stalls`] has its name and where it was spawned, with the feature `backtrace` also what it was doing, and
//! [`Builder::on_stall`] is told at once. See [`Stall`].
//!
//! # Features
//!
//! `macros` (on by default): [`main`](macro@main) and [`test`](macro@test). `sync` (on by default): turns on monoio's own
//! `sync`, so that a [`JoinHandle`] awaited on somebody's bare monoio runtime is woken too; the pool does not need it.
//! `tracing`: a span for each job, as told above. `backtrace`: a [`Stall`] says what the thread was doing; see there for what it takes.
//!
//! The versions of monoio must agree between your crate and this one: files and sockets of another major version would not
//! find their ring.
//!
//! [monoio]: https://docs.rs/monoio/0.2.4

#![cfg_attr(docsrs, feature(doc_cfg))]

mod allowance;
mod backlog;
mod balance;
mod block_on;
mod blocking;
mod broadcast;
mod budget;
mod build_error;
mod builder;
pub mod channel;
mod class;
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
mod job_options;
mod join;
mod join_error;
mod launch;
mod limits;
mod load;
mod local;
pub mod metrics;
#[cfg(all(test, millpond_loom))]
mod models;
#[cfg(all(test, millpond_shuttle))]
mod models_shuttle;
pub mod net;
mod padded;
mod panics;
mod park;
mod picker;
mod pool;
mod queue;
mod remote;
mod root;
mod root_waker;
mod shared;
mod shrink;
mod shutdown;
mod sleep;
mod spin;
mod stall;
pub mod streams;
mod sync;
mod task;
pub mod time;
mod trace;
mod worker;
mod worker_id;
mod worker_state;
mod yield_now;

pub use broadcast::Broadcast;
pub use build_error::BuildError;
pub use builder::{Builder, Pin};
pub use class::Class;
pub use doctor::{Check, Report, Verdict, doctor};
pub use driver::kind::{Driver, DriverKind};
pub use error::{NoPoolError, SpawnOnError, SubmitError, TrySpawnError};
pub use free::{
    broadcast, spawn, spawn_blocking, spawn_local, spawn_on, spawn_with, worker_id, worker_state,
};
pub use handle::Handle;
pub use job_options::JobOptions;
pub use join::{AbortHandle, JoinHandle};
pub use join_error::JoinError;
pub use pool::Pool;
pub use shutdown::Receipt;
pub use stall::Stall;
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
/// | [`driver`](Builder::driver) | `"auto"`, `"io_uring"`, `"epoll"` or `"park"` | `"auto"` |
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

/// The code on the crate's page at crates.io is run with the tests.
#[cfg(all(doctest, feature = "macros"))]
#[doc = include_str!("../README.md")]
struct Readme;
