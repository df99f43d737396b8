//! The twin of `on` that does nothing and takes no place.

use super::WakerOp;
use crate::{Stall, task::Origin, worker_id::WorkerId};

pub(crate) struct Span;

#[derive(Clone, Copy)]
pub(crate) struct Traced;

// In every task's header.
const _: () = assert!(size_of::<Span>() == 0 && size_of::<Traced>() == 0);

impl Span {
    pub(crate) fn of_job(_origin: Origin, _size_bytes: usize) -> Span {
        Span
    }

    pub(crate) fn of_local(_origin: Origin, _size_bytes: usize, _worker: Option<WorkerId>) -> Span {
        Span
    }

    pub(crate) fn of_blocking(_origin: Origin, _size_bytes: usize) -> Span {
        Span
    }

    pub(crate) fn of_block_on(_origin: Origin, _size_bytes: usize) -> Span {
        Span
    }

    pub(crate) fn may_be_wanted() -> bool {
        false
    }

    pub(crate) fn traced(&self) -> Traced {
        Traced
    }

    pub(crate) fn record_worker(&self, _worker: Option<WorkerId>) {}

    pub(crate) fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        f()
    }

    pub(crate) fn scope_if<R>(&self, _wanted: impl FnOnce() -> bool, f: impl FnOnce() -> R) -> R {
        f()
    }

    pub(crate) fn close(&mut self) {}
}

impl Traced {
    pub(crate) fn tell(self, _op: WakerOp) {}
}

pub(crate) fn stall(_stall: &Stall) {}
