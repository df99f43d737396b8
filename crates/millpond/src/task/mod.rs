//! A job from its start to its end, whatever its types.
//!
//! A [`Task`] is a counted reference. The run queues, the inboxes, the table of live tasks and every waker hold one; the
//! join handle holds its own kind, a [`RawJoin`], which alone may take the output.

mod cell;
mod home;
mod join;
mod origin;
pub(crate) mod state;
mod waiting;
mod waker;

#[cfg(feature = "backtrace")]
pub(crate) use cell::CELL_FILE;
pub(crate) use cell::{Header, Outcome};
pub(crate) use join::RawJoin;
pub(crate) use origin::{Origin, Running};
pub(crate) use waiting::Waiting;
pub(crate) use waker::is_waker_of_one;

use crate::{
    JoinError, context,
    panics::contain,
    remote::Remote,
    trace::{Span, Traced},
    worker_id::WorkerId,
};
use state::{Abort, BeginPoll, CutOff, EndPoll, Ended};
use std::{future::Future, ptr::NonNull, sync::Arc, task::Context};

/// A counted reference to a job or task.
pub(crate) struct Task {
    /// Kept alive by this reference. The thread rules are the state word's: see `state`.
    header: NonNull<Header>,
}

// SAFETY: what a reference can do from any thread (wake, abort, count) goes through the atomic state word. The stage,
// which may hold a future that is not Send, is touched by the holder of `RUNNING` alone: the home's thread, or before
// the start, while the stage is a closure that is Send, any one. The last reference frees a stage that is empty, or
// such a closure: a started task is completed on its home's thread before the loop lets it go.
unsafe impl Send for Task {}
// SAFETY: as above; `&Task` gives no more than `Task` does.
unsafe impl Sync for Task {}

/// How a run of a task ended. A task that lives on comes back.
pub(crate) enum Run {
    /// Pending; a wake will queue it.
    Idle(Task),
    /// Pending and woken meanwhile: the caller queues it again.
    Again(Task),
    /// It is over, and how.
    Ended(Outcome),
    /// It was over before.
    Gone,
}

impl Task {
    /// A job that waits to be started, with its handle.
    pub(crate) fn queued<F, Fut, T>(pool: u32, origin: Origin, span: Span, closure: F) -> (Task, RawJoin<T>)
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        Task::split(cell::queued(pool, origin, span, closure))
    }

    /// A task of the present thread: the reference for its table, the one for its run queue, and its handle.
    pub(crate) fn local<Fut, T>(
        pool: u32,
        origin: Origin,
        span: Span,
        home: Arc<Remote>,
        future: Fut,
    ) -> (Task, Task, RawJoin<T>)
    where
        Fut: Future<Output = T>,
    {
        let header = cell::local(pool, origin, span, home, future);
        let (task, join) = Task::split(header);
        // SAFETY: `State::local` counts a third reference for this.
        (task, unsafe { Task::from_header(header) }, join)
    }

    fn split<T>(header: NonNull<Header>) -> (Task, RawJoin<T>) {
        // SAFETY: a new cell counts one reference for the task and one for the handle.
        unsafe { (Task::from_header(header), RawJoin::new(Task::from_header(header))) }
    }

    /// # Safety
    /// `header` begins a live cell, and the caller passes on a reference to it.
    pub(crate) unsafe fn from_header(header: NonNull<Header>) -> Task {
        Task { header }
    }

    /// The reference as a bare pointer, for an inbox.
    pub(crate) fn into_header(self) -> NonNull<Header> {
        std::mem::ManuallyDrop::new(self).header
    }

    pub(super) fn header_pointer(&self) -> NonNull<Header> {
        self.header
    }

    fn header(&self) -> &Header {
        // SAFETY: this reference keeps the cell alive.
        unsafe { self.header.as_ref() }
    }

    pub(crate) fn clone_reference(&self) -> Task {
        self.header().state.add_reference();
        Task { header: self.header }
    }

    pub(crate) fn pool(&self) -> u32 {
        self.header().pool
    }

    pub(crate) fn origin(&self) -> Origin {
        self.header().origin
    }

    fn traced(&self) -> Traced {
        self.header().traced
    }

    /// Changes what is noted of the wait. Before the job is in a queue.
    pub(crate) fn note_waiting(&self, change: impl FnOnce(&mut Waiting)) {
        let mut waiting = self.take_waiting();
        change(&mut waiting);
        self.header().home.set_waiting(waiting);
    }

    /// What was noted of the wait. By the one that is about to start the job, with the queue's reference.
    #[inline]
    pub(crate) fn take_waiting(&self) -> Waiting {
        // SAFETY: the queue's reference is passed on from whoever made the job to whoever starts it, and each calls this while
        // it has it.
        unsafe { self.header().home.take_waiting() }
    }

    pub(crate) fn is_started(&self) -> bool {
        self.header().state.is_started()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.header().state.is_over()
    }

    /// What its wakers point to.
    pub(crate) fn address(&self) -> usize {
        self.header.as_ptr().addr()
    }

    /// Where the task stands in its home's table.
    pub(crate) fn slot(&self) -> usize {
        self.header().slot.get() as usize
    }

    pub(crate) fn set_slot(&self, slot: usize) {
        self.header().slot.set(u32::try_from(slot).expect("fewer than 2^32 live tasks on a worker"));
    }

    /// Whether the task runs, or ran, on this loop.
    pub(crate) fn runs_on(&self, remote: &Arc<Remote>) -> bool {
        self.header().home.is(remote)
    }

    /// The worker of a task that the present loop runs.
    fn home_id(&self) -> Option<WorkerId> {
        // SAFETY: asked on the home's thread only, by what its loop calls.
        unsafe { self.header().home.on_its_thread() }.and_then(Remote::worker)
    }

    /// Makes the present loop the job's home and claims its first run. False: it was called off, and is over.
    pub(crate) fn start(&self, home: &Arc<Remote>) -> bool {
        self.header().home.set(home);
        let started = self.start_homeless();
        if started {
            // SAFETY: this thread has just got `RUNNING`.
            unsafe { Header::record_worker(self.header, home.worker()) };
        }
        started
    }

    /// Claims the first run of a job that ends in it, as a blocking closure does. False: it was called off.
    pub(crate) fn start_homeless(&self) -> bool {
        self.header().state.start()
    }

    /// Polls a job that was just claimed.
    pub(crate) fn first_run(self) -> Run {
        self.poll()
    }

    /// Runs a started task whose notified reference this is. On its home's thread only.
    pub(crate) fn run(self) -> Run {
        match self.header().state.begin_poll() {
            BeginPoll::Poll => self.poll(),
            BeginPoll::Abort => Run::Ended(self.abort_running()),
            BeginPoll::Gone => Run::Gone,
        }
    }

    /// The caller holds `RUNNING`.
    fn poll(self) -> Run {
        let waker = waker::borrowed(&self);
        // SAFETY: the caller holds `RUNNING`.
        match unsafe { Header::poll(self.header, &mut Context::from_waker(&waker)) } {
            Outcome::Pending => {
                // SAFETY: this is the home's thread, and `RUNNING` is still held.
                unsafe { self.header().home.keep() };
                match self.header().state.end_poll() {
                    EndPoll::Idle => Run::Idle(self),
                    EndPoll::Again => Run::Again(self),
                    EndPoll::Abort => Run::Ended(self.abort_running()),
                }
            }
            outcome => {
                self.end(&outcome);
                Run::Ended(outcome)
            }
        }
    }

    /// The caller holds `RUNNING`, on the home's thread.
    fn abort_running(self) -> Outcome {
        // SAFETY: as above.
        let outcome = unsafe { Header::cancel(self.header, JoinError::aborted(self.home_id())) };
        self.end(&outcome);
        outcome
    }

    /// Ends a task that was polled, with this reference to it.
    fn end(self, outcome: &Outcome) {
        // SAFETY: this is the home's thread. `RUNNING` was taken from the run queue, so a wake that claimed the task
        // before has queued it and looks here no more, and none has claimed it since.
        unsafe { self.header().home.release() };
        let ended = self.header().state.complete_and_release(*outcome == Outcome::Panicked);
        if ended.released {
            // The handle has the last reference now, or had it: the cell may be gone.
            std::mem::forget(self);
        } else {
            self.ended(ended);
        }
    }

    /// Drops a started task's future at a shutdown. On its home's thread only. `None`: it was over.
    pub(crate) fn cut_off(&self) -> Option<Outcome> {
        let CutOff { claimed, aborted } = self.header().state.begin_cut_off()?;
        // An abort that came before is what its caller asks for, though its turn has not come.
        let reason = if aborted { JoinError::aborted } else { JoinError::cut_off };
        let outcome = match self.cancel(reason(self.home_id())) {
            Outcome::Cancelled if !aborted => Outcome::CutOff,
            outcome => outcome,
        };
        if !claimed {
            // SAFETY: this is the home's thread, the task is over, and no wake had claimed it.
            unsafe { self.header().home.release() };
        }
        Some(outcome)
    }

    /// Drops the closure of a job that has not started. `None`: it was called off before.
    pub(crate) fn never_start(&self) -> Option<Outcome> {
        self.header().state.call_off().then(|| self.cancel(JoinError::shutdown(None)))
    }

    /// Drops the closure of a job whose deadline has passed before its start. `None`: it was called off before.
    pub(crate) fn expire(&self) -> Option<Outcome> {
        self.header().state.expire().then(|| {
            self.cancel(JoinError::expired());
            Outcome::Expired
        })
    }

    /// How a task ended that is complete; `None` for one that was called off before it started.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        let state = &self.header().state;
        if state.is_expired() {
            return Some(Outcome::Expired);
        }
        let outcome = if state.is_panicked() { Outcome::Panicked } else { Outcome::Completed };
        self.is_started().then_some(outcome)
    }

    /// Answers the handle of a blocking closure without waiting for it. False: it is over.
    pub(crate) fn give_up(&self) -> bool {
        match self.header().state.give_up() {
            Some(ended) => {
                self.wake_join(ended);
                true
            }
            None => false,
        }
    }

    /// See [`AbortHandle::abort`](crate::AbortHandle::abort).
    pub(crate) fn abort(&self) {
        match self.header().state.abort() {
            Abort::Nothing => {}
            Abort::CalledOff => {
                self.cancel(JoinError::aborted(None));
            }
            // SAFETY: `abort` took a reference for this.
            Abort::Notify => unsafe { Task::from_header(self.header) }.schedule(),
        }
    }

    /// The caller holds `RUNNING`.
    fn cancel(&self, error: JoinError) -> Outcome {
        // SAFETY: the caller holds `RUNNING`.
        let outcome = unsafe { Header::cancel(self.header, error) };
        self.ended(self.header().state.complete(outcome == Outcome::Panicked));
        outcome
    }

    /// Does what is left to the one that completed the task.
    fn ended(&self, ended: Ended) {
        if !ended.joined {
            // SAFETY: complete, without a handle, and this is the completer.
            unsafe { Header::drop_output(self.header) };
        }
        self.wake_join(ended);
    }

    fn wake_join(&self, ended: Ended) {
        if ended.has_waker {
            // A waker is foreign code, and one that panics harms its own executor only.
            contain(|| {
                // SAFETY: the bit was set when this thread ended the task; from then on the slot is only read.
                if let Some(waker) = unsafe { self.header().join_waker() } {
                    waker.wake_by_ref();
                }
            });
            if self.header().state.give_slot_back() {
                // SAFETY: the handle has gone, and this thread was the last to be done with the slot.
                contain(|| drop(unsafe { self.header().replace_join_waker(None) }));
            }
        }
    }

    fn wake(self) {
        if self.header().state.notify() {
            self.schedule();
        }
    }

    fn wake_by_ref(&self) {
        if self.header().state.notify() {
            self.clone_reference().schedule();
        }
    }

    /// Brings this reference, which has just made the task `NOTIFIED`, to the run queue of the task's home.
    fn schedule(self) {
        let Err(task) = context::push_ready(self) else { return };
        // SAFETY: the task was idle when it became `NOTIFIED`, and the reference is still here.
        if let Some(home) = unsafe { task.header().home.claimed() } {
            home.schedule(task);
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.header().state.drop_reference() {
            // SAFETY: that was the last reference.
            unsafe { Header::free(self.header) };
        }
    }
}
