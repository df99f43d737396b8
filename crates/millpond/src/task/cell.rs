//! The one allocation of a job: header, and a stage that is closure, then future, then output.
//!
//! Everything here is about who may touch the stage, and the state word decides that: see [`State`]. The functions of
//! the table are unsafe because they take an erased pointer on trust; [`Task`](super::Task) and
//! [`RawJoin`](super::RawJoin) are their only callers.

use super::{home::Home, origin::Origin, state::State};
use crate::{
    JoinError,
    panics::contain,
    remote::Remote,
    sync::AtomicPtr,
    trace::{Span, Traced},
    worker_id::WorkerId,
};
use std::{
    cell::{Cell as StdCell, UnsafeCell},
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    ptr::NonNull,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// By which this code is known in a backtrace.
#[cfg(feature = "backtrace")]
pub(crate) const CELL_FILE: &str = file!();

/// What is known of a task whatever its types.
pub(crate) struct Header {
    pub(super) state: State,
    /// The task's own code, by its types.
    vtable: &'static Vtable,
    /// The pool that accepted it: a blocking `join()` on one of that pool's workers is refused.
    pub(super) pool: u32,
    /// Where the task stands in its home's table. Only the home's thread reads or writes it.
    pub(super) slot: StdCell<u32>,
    /// The next in an inbox. It belongs to whoever holds the reference that `NOTIFIED` speaks of.
    pub(crate) next: AtomicPtr<Header>,
    pub(super) home: Home,
    pub(super) origin: Origin,
    /// What wakers tell of it, from any thread.
    pub(super) traced: Traced,
    /// Entered and closed by the holder of `RUNNING`.
    span: UnsafeCell<Span>,
    /// Whom the end concerns. Handle and completer take turns by `JOIN_WAKER`.
    join_waker: UnsafeCell<Option<Waker>>,
}

#[repr(C)] // The header comes first: a pointer to it is a pointer to the cell.
struct Cell<F, Fut, T> {
    header: Header,
    stage: UnsafeCell<Stage<F, Fut, T>>,
}

enum Stage<F, Fut, T> {
    Closure(F),
    Future(Fut),
    Output(Result<T, JoinError>),
    /// The closure is being called, or the output has been taken.
    Empty,
}

/// How a task came out of a poll or a cancellation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pending,
    Completed,
    Panicked,
    /// Cancelled without a panic.
    Cancelled,
    /// The same, because its loop ended.
    CutOff,
    /// Its deadline passed before its start.
    Expired,
}

struct Vtable {
    poll: unsafe fn(NonNull<Header>, &mut Context<'_>) -> Outcome,
    cancel: unsafe fn(NonNull<Header>, JoinError) -> Outcome,
    take_output: unsafe fn(NonNull<Header>, NonNull<()>),
    drop_output: unsafe fn(NonNull<Header>),
    free: unsafe fn(NonNull<Header>),
}

/// Allocates a job that waits to be started.
pub(super) fn queued<F, Fut, T>(pool: u32, origin: Origin, span: Span, closure: F) -> NonNull<Header>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = T>,
{
    allocate(State::queued(), pool, origin, span, None, Stage::<F, Fut, T>::Closure(closure))
}

/// Allocates a task of the present thread, whose home is known.
pub(super) fn local<Fut, T>(
    pool: u32,
    origin: Origin,
    span: Span,
    home: Arc<Remote>,
    future: Fut,
) -> NonNull<Header>
where
    Fut: Future<Output = T>,
{
    let stage = Stage::<fn() -> Fut, Fut, T>::Future(future);
    allocate(State::local(), pool, origin, span, Some(home), stage)
}

fn allocate<F, Fut, T>(
    state: State,
    pool: u32,
    origin: Origin,
    span: Span,
    home: Option<Arc<Remote>>,
    stage: Stage<F, Fut, T>,
) -> NonNull<Header>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = T>,
{
    let header = Header {
        state,
        vtable: &Cell::<F, Fut, T>::VTABLE,
        pool,
        slot: StdCell::new(0),
        next: AtomicPtr::new(std::ptr::null_mut()),
        home: home.map_or_else(Home::none, Home::kept),
        origin,
        traced: span.traced(),
        span: UnsafeCell::new(span),
        join_waker: UnsafeCell::new(None),
    };
    NonNull::from(Box::leak(Box::new(Cell { header, stage: UnsafeCell::new(stage) }))).cast()
}

impl<F, Fut, T> Cell<F, Fut, T>
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = T>,
{
    const VTABLE: Vtable = Vtable {
        poll: Self::poll,
        cancel: Self::cancel,
        take_output: Self::take_output,
        drop_output: Self::drop_output,
        free: Self::free,
    };

    /// The stage of the cell that `header` begins.
    ///
    /// # Safety
    /// `header` begins a live cell of these very types.
    unsafe fn stage(header: NonNull<Header>) -> *mut Stage<F, Fut, T> {
        // SAFETY: by the contract; `repr(C)` puts the header at the cell's address.
        UnsafeCell::raw_get(unsafe { &raw const (*header.cast::<Self>().as_ptr()).stage })
    }

    /// Makes the future if there is none yet, and polls it once.
    ///
    /// # Safety
    /// As `stage`; the caller holds `RUNNING`.
    unsafe fn poll(header: NonNull<Header>, cx: &mut Context<'_>) -> Outcome {
        // SAFETY: `RUNNING` makes the stage this thread's alone.
        let stage = unsafe { Self::stage(header) };
        let polled = catch_unwind(AssertUnwindSafe(|| {
            // SAFETY: as above. A look at the place and not through a reference: that would read a future which may hold
            // borrows of itself.
            if unsafe { matches!(*stage, Stage::Closure(_)) } {
                // SAFETY: as above. A closure is not pinned, and `Empty` stands in should the call panic.
                if let Stage::Closure(closure) = unsafe { stage.replace(Stage::Empty) } {
                    // The future is written where it stays: nothing moves it from here on.
                    let future = closure();
                    // SAFETY: as above; what is overwritten is `Empty`, which has nothing to drop.
                    unsafe { stage.write(Stage::Future(future)) };
                }
            }
            // SAFETY: as above.
            match unsafe { &mut *stage } {
                // SAFETY: the future lies in the cell, is dropped in place, and is never moved.
                Stage::Future(future) => unsafe { Pin::new_unchecked(future) }.poll(cx),
                _ => unreachable!("polled without a future"),
            }
        }));
        match polled {
            Ok(Poll::Pending) => Outcome::Pending,
            // SAFETY: as above.
            Ok(Poll::Ready(output)) => unsafe { Self::store(header, Ok(output), Outcome::Completed) },
            Err(payload) => {
                let error = JoinError::panicked(payload, home_id(header));
                // SAFETY: as above.
                unsafe { Self::store(header, Err(error), Outcome::Panicked) }
            }
        }
    }

    /// Drops the closure or the future and stores `error` as the output.
    ///
    /// # Safety
    /// As `poll`.
    unsafe fn cancel(header: NonNull<Header>, error: JoinError) -> Outcome {
        // SAFETY: the same contract.
        unsafe { Self::store(header, Err(error), Outcome::Cancelled) }
    }

    /// Puts the output in the place of what stands in the stage. If a future panics in its drop, that becomes the output;
    /// a job that never ran has not panicked, whatever its closure does when it is dropped.
    ///
    /// # Safety
    /// As `poll`.
    unsafe fn store(header: NonNull<Header>, output: Result<T, JoinError>, outcome: Outcome) -> Outcome {
        // SAFETY: as `poll`.
        let stage = unsafe { Self::stage(header) };
        // SAFETY: as `poll`; a look at the place, as there.
        let never_ran = unsafe { matches!(*stage, Stage::Closure(_)) };
        // SAFETY: dropped in place, as its pinning asks, and overwritten below without a second drop.
        let dropped = catch_unwind(AssertUnwindSafe(|| unsafe { stage.drop_in_place() }));
        let (stored, outcome) = match dropped {
            Err(payload) if !never_ran => {
                // The output that loses its place may panic in its drop too; one report is enough.
                contain(|| drop(output));
                (Err(JoinError::panicked(payload, home_id(header))), Outcome::Panicked)
            }
            Err(payload) => {
                contain(|| drop(payload));
                (output, outcome)
            }
            Ok(()) => (output, outcome),
        };
        // SAFETY: what stood there has just been dropped; a value whose drop panicked counts as dropped.
        unsafe { stage.write(Stage::Output(stored)) };
        outcome
    }

    /// Moves the output to `to`, an `Option<Result<T, JoinError>>`.
    ///
    /// # Safety
    /// As `stage`; the task is complete, and the caller is its handle.
    unsafe fn take_output(header: NonNull<Header>, to: NonNull<()>) {
        // SAFETY: `COMPLETE` with `JOIN` makes the stage the handle's alone; an output is not pinned.
        if let Stage::Output(output) = unsafe { Self::stage(header).replace(Stage::Empty) } {
            // SAFETY: the handle passes a place of this type.
            unsafe { to.cast::<Option<Result<T, JoinError>>>().write(Some(output)) };
        }
    }

    /// Drops the output where no one will take it.
    ///
    /// # Safety
    /// As `take_output`, or the caller is the completer of a task without a handle.
    unsafe fn drop_output(header: NonNull<Header>) {
        // SAFETY: the same contract.
        let stage = unsafe { Self::stage(header).replace(Stage::Empty) };
        contain(|| drop(stage));
    }

    /// # Safety
    /// As `stage`; the caller dropped the last reference.
    unsafe fn free(header: NonNull<Header>) {
        // SAFETY: the cell came from a box, and nothing refers to it any more.
        let cell = unsafe { Box::from_raw(header.cast::<Self>().as_ptr()) };
        contain(|| drop(cell));
    }
}

/// The worker whose task this is, for its error.
fn home_id(header: NonNull<Header>) -> Option<WorkerId> {
    // SAFETY: asked by the holder of `RUNNING` on the home's thread, for a future that panicked.
    unsafe { header.as_ref().home.on_its_thread() }.and_then(|home| home.worker())
}

impl Header {
    // The calls into the table take the pointer and not `&self`: a pointer made from a reference to the header may be
    // used for the header alone, and the table's functions go on to the stage.

    /// # Safety
    /// `header` is alive and the caller holds `RUNNING`.
    pub(super) unsafe fn poll(header: NonNull<Header>, cx: &mut Context<'_>) -> Outcome {
        // SAFETY: `RUNNING` makes the span this thread's alone.
        let span = unsafe { &mut *header.as_ref().span.get() };
        // SAFETY: the table was made for this cell's types.
        let outcome = span.scope(|| unsafe { (header.as_ref().vtable.poll)(header, cx) });
        if outcome != Outcome::Pending {
            span.close();
        }
        outcome
    }

    /// # Safety
    /// As `poll`.
    pub(super) unsafe fn cancel(header: NonNull<Header>, error: JoinError) -> Outcome {
        // SAFETY: as `poll`.
        let span = unsafe { &mut *header.as_ref().span.get() };
        // SAFETY: as `poll`. A closure that is dropped is no poll, and is not told as one.
        let has_polled = || unsafe { header.as_ref() }.state.is_started();
        // SAFETY: as `poll`.
        let outcome = span.scope_if(has_polled, || unsafe { (header.as_ref().vtable.cancel)(header, error) });
        span.close();
        outcome
    }

    /// Notes in the span where the job starts.
    ///
    /// # Safety
    /// As `poll`.
    pub(super) unsafe fn record_worker(header: NonNull<Header>, worker: Option<WorkerId>) {
        // SAFETY: as `poll`.
        unsafe { &*header.as_ref().span.get() }.record_worker(worker);
    }

    /// # Safety
    /// `header` is alive, the task is complete, the caller is its handle, and `to` points to an
    /// `Option<Result<T, JoinError>>`.
    pub(super) unsafe fn take_output(header: NonNull<Header>, to: NonNull<()>) {
        // SAFETY: as `poll`.
        unsafe { (header.as_ref().vtable.take_output)(header, to) }
    }

    /// # Safety
    /// `header` is alive, the task is complete, and the caller is its handle, or its completer where it has none.
    pub(super) unsafe fn drop_output(header: NonNull<Header>) {
        // SAFETY: as `poll`.
        unsafe { (header.as_ref().vtable.drop_output)(header) }
    }

    /// Puts another waker into the slot, and gives out the one that was there: to drop it is to run foreign code.
    ///
    /// # Safety
    /// `JOIN_WAKER` is clear, and the caller is the handle, or was the last to be done with the slot.
    pub(super) unsafe fn replace_join_waker(&self, waker: Option<Waker>) -> Option<Waker> {
        // SAFETY: by the contract the slot is the caller's alone.
        unsafe { self.join_waker.get().replace(waker) }
    }

    /// # Safety
    /// `JOIN_WAKER` is set and the caller is the handle, or the one that ended the task.
    pub(super) unsafe fn join_waker(&self) -> Option<&Waker> {
        // SAFETY: while the bit is set the slot is only read.
        unsafe { &*self.join_waker.get() }.as_ref()
    }

    /// # Safety
    /// The caller dropped the last reference to `header`.
    pub(super) unsafe fn free(header: NonNull<Header>) {
        // SAFETY: as `poll`; the table outlives the cell.
        unsafe { (header.as_ref().vtable.free)(header) }
    }
}
