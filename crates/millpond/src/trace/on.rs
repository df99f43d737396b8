//! The span of a job, and the events of its wakers.

use super::WakerOp;
use crate::{Stall, panics::contain, task::Origin, worker_id::WorkerId};
use std::{
    cell::Cell,
    num::NonZeroU64,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};
use tracing::{field::Empty, level_filters::LevelFilter, span::Id};

/// The span of one job; none, where nobody listens. Dropping it closes it.
///
/// In a box: every job has the place for it, and most programs have no use for it.
pub(crate) struct Span(Option<Box<Open>>);

struct Open {
    span: tracing::Span,
    number: Number,
}

/// What a job's wakers tell of it. It does not keep the span.
#[derive(Clone, Copy)]
pub(crate) struct Traced(Option<NonZeroU64>);

/// While it lives, the span is current on this thread. Dropping it restores what was before.
struct Entered<'a> {
    open: &'a Open,
    before: Option<Number>,
}

/// A job's span by its number, and its parent's. As long as the one is open, so is the other.
#[derive(Clone, Copy)]
struct Number {
    own: NonZeroU64,
    parent: Option<NonZeroU64>,
}

thread_local! {
    /// The job that runs on this thread.
    static RUNNING: Cell<Option<Number>> = const { Cell::new(None) };
}

/// Of tokio's vocabulary, all of it: the console takes spans of this name for tasks, and its users have filters for these
/// targets.
macro_rules! job_span {
    ($target:literal, $parent:expr, $kind:expr, $origin:expr, $size:expr, $worker:expr) => {
        tracing::trace_span!(
            target: $target,
            parent: $parent,
            "runtime.spawn",
            kind = $kind,
            task.name = $origin.name(),
            task.id = next_task_id(),
            size.bytes = $size,
            worker = $worker,
            loc.file = $origin.location().file(),
            loc.line = $origin.location().line(),
            loc.col = $origin.location().column(),
        )
    };
}

impl Span {
    /// A job that has no worker yet. The size is its future's.
    pub(crate) fn of_job(origin: Origin, size_bytes: usize) -> Span {
        Span::new(|parent| job_span!("tokio::task", parent, "task", origin, size_bytes, Empty))
    }

    /// A future of `spawn_local`.
    pub(crate) fn of_local(origin: Origin, size_bytes: usize, worker: Option<WorkerId>) -> Span {
        let worker = worker.map(WorkerId::index);
        Span::new(|parent| job_span!("tokio::task", parent, "local", origin, size_bytes, worker))
    }

    /// A closure of `spawn_blocking`.
    pub(crate) fn of_blocking(origin: Origin, size_bytes: usize) -> Span {
        Span::new(|parent| job_span!("tokio::task::blocking", parent, "blocking", origin, size_bytes, Empty))
    }

    /// The future of a `block_on`.
    pub(crate) fn of_block_on(origin: Origin, size_bytes: usize) -> Span {
        Span::new(|parent| job_span!("tokio::task", parent, "block_on", origin, size_bytes, Empty))
    }

    fn new(make: impl FnOnce(Option<Id>) -> tracing::Span) -> Span {
        let mut new = Span(None);
        if Span::may_be_wanted() {
            contain(|| {
                let (parent, cause) = parent_and_cause();
                let span = make(parent.map(Id::from_non_zero_u64));
                span.follows_from(cause.map(Id::from_non_zero_u64));
                let id = span.id();
                let number = |id: Id| Number { own: id.into_non_zero_u64(), parent };
                new.0 = id.map(|id| Box::new(Open { span, number: number(id) }));
            });
        }
        new
    }

    /// Whether anybody listens to what is as fine as this.
    pub(crate) fn may_be_wanted() -> bool {
        LevelFilter::current() >= LevelFilter::TRACE
    }

    pub(crate) fn traced(&self) -> Traced {
        Traced(self.0.as_ref().map(|open| open.number.own))
    }

    /// The job starts on this worker.
    pub(crate) fn record_worker(&self, worker: Option<WorkerId>) {
        if let (Some(open), Some(worker)) = (&self.0, worker) {
            contain(|| {
                open.span.record("worker", worker.index());
            });
        }
    }

    /// Calls `f` in the span.
    pub(crate) fn scope<R>(&self, f: impl FnOnce() -> R) -> R {
        self.scope_if(|| true, f)
    }

    /// The same if that is wanted, which is asked only where there is a span.
    pub(crate) fn scope_if<R>(&self, wanted: impl FnOnce() -> bool, f: impl FnOnce() -> R) -> R {
        let _entered = self.0.as_deref().filter(|_| wanted()).map(Open::enter);
        f()
    }

    /// Closes it. Again, it does nothing.
    pub(crate) fn close(&mut self) {
        if let Some(open) = self.0.take() {
            contain(|| drop(open));
        }
    }
}

impl Open {
    fn enter(&self) -> Entered<'_> {
        // First: the subscriber may spawn.
        let before = RUNNING.replace(Some(self.number));
        contain(|| {
            self.span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        });
        Entered { open: self, before }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.close();
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        contain(|| {
            self.open.span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
        });
        RUNNING.set(self.before);
    }
}

impl Traced {
    /// Tells what is about to be done with a waker.
    pub(crate) fn tell(self, op: WakerOp) {
        let Some(id) = self.0 else { return };
        let op = match op {
            WakerOp::Clone => "waker.clone",
            WakerOp::Wake => "waker.wake",
            WakerOp::WakeByRef => "waker.wake_by_ref",
            WakerOp::Drop => "waker.drop",
        };
        contain(|| tracing::trace!(target: "tokio::task::waker", op, task.id = id.get()));
    }
}

/// Tells of a task that holds its worker.
pub(crate) fn stall(stall: &Stall) {
    contain(|| {
        tracing::warn!(
            target: "millpond::stall",
            worker = stall.worker.index(),
            task.name = stall.name,
            held_ms = u64::try_from(stall.held.as_millis()).unwrap_or(u64::MAX),
            loc.file = stall.location.file(),
            loc.line = stall.location.line(),
            loc.col = stall.location.column(),
            backtrace = stall.backtrace.as_deref(),
            "a task holds its worker"
        );
    });
}

/// The parent of a span that is made here, and the job that it follows from.
///
/// The parent is the span that is current. But a span stays open as long as its children, so no job's span has children of
/// ours: a job that spawns its like before it ends would else be the start of a chain that grows for ever. What a job
/// spawns has the parent of that job, and follows from it.
fn parent_and_cause() -> (Option<NonZeroU64>, Option<NonZeroU64>) {
    let current = tracing::Span::current().id().map(|id| id.into_non_zero_u64());
    match RUNNING.get().filter(|running| Some(running.own) == current) {
        Some(running) => (running.parent, current),
        None => (current, None),
    }
}

/// A number for each job of the process that has a span.
fn next_task_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Relaxed)
}
