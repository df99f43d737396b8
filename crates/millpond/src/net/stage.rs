//! How far a connection has come, and by that, how it ended.

use std::cell::Cell;

/// What becomes of a connection if it ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Taken from the kernel, and not with a handler yet: it would be refused.
    Accepted,
    /// Its handler waits: it would be cut off.
    Open,
    /// Its handler is being polled: what ends it from within is a panic.
    Polled,
    /// Its handler has ended.
    Served,
}

/// The stage of one connection, on the thread that has it.
#[derive(Debug)]
pub(super) struct Progress(Cell<Stage>);

impl Progress {
    pub(super) fn accepted() -> Progress {
        Progress(Cell::new(Stage::Accepted))
    }

    pub(super) fn stage(&self) -> Stage {
        self.0.get()
    }

    /// The handler, or what makes it, is about to run.
    pub(super) fn begin_poll(&self) {
        self.0.set(Stage::Polled);
    }

    /// It waits. Also for a connection that is on its way from one worker to another: it has been with a handler.
    pub(super) fn end_poll(&self) {
        self.0.set(Stage::Open);
    }

    pub(super) fn end(&self) {
        self.0.set(Stage::Served);
    }
}
