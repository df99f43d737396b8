//! Panics of foreign code that have nowhere to go.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of a user's (a drop, a waker, a hook) whose panic concerns nobody here. The panic hook has reported it.
pub(crate) fn contain(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        // A payload may panic in its own drop, and so on: the chain ends here, at the price of its memory.
        std::mem::forget(payload);
    }
}
