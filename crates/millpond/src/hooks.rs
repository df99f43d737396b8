//! What the user has run at a worker's start and stop, and when a task holds one.

use crate::{
    BuildError, Stall, WorkerId,
    panics::{contain, message},
};
use std::{
    error::Error,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

type StartHook = dyn Fn(WorkerId) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync;
type StopHook = dyn Fn(WorkerId) + Send + Sync;
type StallHook = dyn Fn(&Stall) + Send + Sync;

/// The hooks of one pool, shared by its workers.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    pub(crate) on_start: Option<Arc<StartHook>>,
    pub(crate) on_stop: Option<Arc<StopHook>>,
    /// Run on the watch thread.
    pub(crate) on_stall: Option<Arc<StallHook>>,
}

impl Hooks {
    /// Runs the start hook. Its error or panic is the pool's build error.
    pub(crate) fn start(&self, worker: WorkerId) -> Result<(), BuildError> {
        let Some(hook) = &self.on_start else { return Ok(()) };
        match catch_unwind(AssertUnwindSafe(|| hook(worker))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(BuildError::hook(worker, error)),
            Err(payload) => Err(BuildError::hook_panicked(worker, &message(payload))),
        }
    }

    /// Runs the stop hook. There is no one left to tell of its panic.
    pub(crate) fn stop(&self, worker: WorkerId) {
        if let Some(hook) = &self.on_stop {
            contain(|| hook(worker));
        }
    }

    /// Runs the stall hook, as `stop`.
    pub(crate) fn stall(&self, stall: &Stall) {
        if let Some(hook) = &self.on_stall {
            contain(|| hook(stall));
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("on_start", &self.on_start.is_some())
            .field("on_stop", &self.on_stop.is_some())
            .field("on_stall", &self.on_stall.is_some())
            .finish()
    }
}
