//! Panics of foreign code that have nowhere to go.

use crate::JoinError;
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs code of a user's (a drop, a waker, a hook) whose panic concerns nobody here. The panic hook has reported it.
pub(crate) fn contain(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        // A payload may panic in its own drop, and so on: the chain ends here, at the price of its memory.
        std::mem::forget(payload);
    }
}

/// What a panic said. Its payload is dropped, which may panic as well.
pub(crate) fn message(payload: Box<dyn Any + Send>) -> String {
    let error = JoinError::panicked(payload, None);
    let message = error.panic_message().to_owned();
    contain(|| drop(error));
    message
}
