//! The waker of a `block_on`'s own future.
//!
//! Like a task's, it works from any thread without help of the runtime, and equals its clones: one static table.

use crate::{
    context,
    remote::Remote,
    sync::AtomicBool,
    trace::{Traced, WakerOp},
};
use std::{
    mem::ManuallyDrop,
    sync::{
        Arc,
        atomic::Ordering::{AcqRel, Acquire},
    },
    task::{RawWaker, RawWakerVTable, Waker},
};

/// Whether the future of one `block_on` was woken, and the loop to tell.
pub(crate) struct RootSignal {
    /// Set by a wake, cleared by the loop before it polls.
    woken: AtomicBool,
    remote: Arc<Remote>,
    /// What wakers tell of the future.
    traced: Traced,
}

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);

impl RootSignal {
    /// A signal that is set: a future has to be polled first.
    pub(crate) fn new(remote: Arc<Remote>, traced: Traced) -> Arc<RootSignal> {
        Arc::new(RootSignal { woken: AtomicBool::new(true), remote, traced })
    }

    pub(crate) fn is_set(&self) -> bool {
        self.woken.load(Acquire)
    }

    /// Takes the signal back. Acquire: the poll that follows sees what the waker wrote.
    pub(crate) fn take(&self) -> bool {
        self.woken.swap(false, AcqRel)
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        self.traced.tell(WakerOp::Clone);
        // SAFETY: the pointer carries one count of the Arc, which the table's functions pass on and give back. They are
        // thread-safe, as Arc, the atomic and the seat are.
        unsafe { Waker::from_raw(RawWaker::new(Arc::into_raw(Arc::clone(self)).cast(), &VTABLE)) }
    }

    fn set(&self) {
        if !self.woken.swap(true, AcqRel) && !context::wake_loop(&self.remote) {
            self.remote.seat.unpark();
        }
    }
}

/// # Safety
/// `data` comes from a live waker of this table.
unsafe fn signal(data: *const ()) -> ManuallyDrop<Arc<RootSignal>> {
    // SAFETY: such a waker carries one count; `ManuallyDrop` leaves it there.
    ManuallyDrop::new(unsafe { Arc::from_raw(data.cast()) })
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called through a live waker.
    let live = unsafe { signal(data) };
    live.traced.tell(WakerOp::Clone);
    RawWaker::new(Arc::into_raw(Arc::clone(&live)).cast(), &VTABLE)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: called through a live waker, which ends here with its count.
    let signal = ManuallyDrop::into_inner(unsafe { signal(data) });
    signal.traced.tell(WakerOp::Wake);
    signal.set();
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: called through a live waker.
    let signal = unsafe { signal(data) };
    signal.traced.tell(WakerOp::WakeByRef);
    signal.set();
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: called through a live waker, which ends here with its count.
    let signal = ManuallyDrop::into_inner(unsafe { signal(data) });
    signal.traced.tell(WakerOp::Drop);
    drop(signal);
}
