//! The handle's side of a task: wait for its end and take the output.

use super::{Header, Task, state::Leave};
use crate::{JoinError, panics::contain};
use std::{
    marker::PhantomData,
    mem::ManuallyDrop,
    ptr::NonNull,
    task::{Context, Poll},
};

/// The reference that alone may take the output. Dropping it detaches the task; an output that waits is dropped here.
pub(crate) struct RawJoin<T> {
    /// Dropped by hand: the last reference of a task that is over needs no count.
    task: ManuallyDrop<Task>,
    /// The output was taken: there is nothing left to poll for.
    taken: bool,
    output: PhantomData<T>,
}

// SAFETY: the handle moves an output of type T between threads, and nothing else of the stage.
unsafe impl<T: Send> Send for RawJoin<T> {}
// SAFETY: a shared handle gives no access to the output.
unsafe impl<T: Send> Sync for RawJoin<T> {}

impl<T> RawJoin<T> {
    /// # Safety
    /// The task's output is a `Result<T, JoinError>`, and this is its only handle.
    pub(super) unsafe fn new(task: Task) -> RawJoin<T> {
        RawJoin { task: ManuallyDrop::new(task), taken: false, output: PhantomData }
    }

    pub(crate) fn task(&self) -> &Task {
        &self.task
    }

    /// Ready with the output once the task is over.
    ///
    /// # Panics
    /// When polled again after that.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        assert!(!self.taken, "a JoinHandle was polled after it had given its result");
        if !self.task.is_over() && self.leave_waker(cx) {
            return Poll::Pending;
        }
        Poll::Ready(self.take())
    }

    /// Leaves a waker for the completer. False: the task is over.
    fn leave_waker(&mut self, cx: &mut Context<'_>) -> bool {
        let header = self.task.header();
        if header.state.has_join_waker() {
            // SAFETY: this is the handle, and the bit is set.
            let current = unsafe { header.join_waker() };
            if current.is_some_and(|waker| waker.will_wake(cx.waker())) {
                return true;
            }
            if !header.state.reclaim_join_waker() {
                return false;
            }
        }
        // SAFETY: this is the handle, and the bit is clear: it was, or has just been taken back.
        let displaced = unsafe { header.replace_join_waker(Some(cx.waker().clone())) };
        let lent = header.state.lend_join_waker();
        drop(displaced);
        lent
    }

    fn take(&mut self) -> Result<T, JoinError> {
        self.taken = true;
        if self.task.header().state.is_given_up() {
            let reason = if self.task.is_started() { JoinError::cut_off } else { JoinError::shutdown };
            return Err(reason(None));
        }
        let mut output: Option<Result<T, JoinError>> = None;
        // SAFETY: the task is over and not given up, so it is complete; this is its handle, and `output` has the type.
        unsafe { Header::take_output(self.task.header, NonNull::from(&mut output).cast()) };
        output.expect("a complete task holds its output until the handle takes it")
    }
}

impl<T> Drop for RawJoin<T> {
    fn drop(&mut self) {
        let state = &self.task.header().state;
        if state.is_left_to_handle() {
            // SAFETY: this is the handle, and the task is over and done with the slot.
            let waker = unsafe { self.task.header().replace_join_waker(None) };
            contain(|| drop(waker));
            // SAFETY: the last reference, which is not used again. An output that waits goes with the cell.
            unsafe { Header::free(self.task.header) };
            return;
        }
        let left = state.drop_join();
        if matches!(left, Leave::Detached | Leave::Over { slot: true, .. }) {
            // SAFETY: this is the handle. The task will not look at the slot, or has given it back.
            let waker = unsafe { self.task.header().replace_join_waker(None) };
            contain(|| drop(waker));
        }
        if !self.taken && matches!(left, Leave::Over { output: true, .. }) {
            // SAFETY: complete, and this is the handle.
            unsafe { Header::drop_output(self.task.header) };
        }
        // SAFETY: not used again.
        unsafe { ManuallyDrop::drop(&mut self.task) };
    }
}
