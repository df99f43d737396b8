//! The waker of a task.
//!
//! One static table for all tasks: two wakers of a task are equal wherever they were made. A table that is a constant
//! of a generic function may be there once for each codegen unit, and then a waker differs from its own clone.

use super::{Task, cell::Header};
use crate::trace::WakerOp;
use std::{
    mem::ManuallyDrop,
    ptr::NonNull,
    task::{RawWaker, RawWakerVTable, Waker},
};

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

/// A waker on loan for the length of a poll: it holds no reference, its clones do.
pub(super) fn borrowed(task: &Task) -> ManuallyDrop<Waker> {
    let data = task.header_pointer().as_ptr().cast_const().cast();
    // SAFETY: the table below keeps the contract of RawWaker: its functions are thread-safe, as `State` is. `task` lives
    // as long as the loan, and the loan is never dropped, so no reference is given back that was not taken.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) })
}

/// Whether it wakes a task, without anything between.
pub(crate) fn is_waker_of_one(waker: &Waker) -> bool {
    std::ptr::eq(waker.vtable(), &VTABLE)
}

/// # Safety
/// `data` comes from a waker of this table that is alive.
unsafe fn task(data: *const ()) -> ManuallyDrop<Task> {
    // SAFETY: wakers are made from a live task's header and hold a reference to it, or are on loan from its runner.
    let header = unsafe { NonNull::new_unchecked(data.cast_mut().cast::<Header>()) };
    // SAFETY: as above; `ManuallyDrop` leaves the waker's reference where it is.
    ManuallyDrop::new(unsafe { Task::from_header(header) })
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called through a live waker.
    let task = unsafe { task(data) };
    task.traced().tell(WakerOp::Clone);
    std::mem::forget(task.clone_reference());
    RawWaker::new(data, &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: called through a live waker, which ends here: its reference passes to the task.
    let task = ManuallyDrop::into_inner(unsafe { task(data) });
    task.traced().tell(WakerOp::Wake);
    task.wake();
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: called through a live waker.
    let task = unsafe { task(data) };
    task.traced().tell(WakerOp::WakeByRef);
    task.wake_by_ref();
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: called through a live waker, which ends here with its reference.
    let task = ManuallyDrop::into_inner(unsafe { task(data) });
    task.traced().tell(WakerOp::Drop);
    drop(task);
}
