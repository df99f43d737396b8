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
mod park;
mod pool;
mod queue;
mod remote;
mod root_waker;
mod shared;
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

#[cfg(feature = "macros")]
pub use millpond_macros::{main, test};
