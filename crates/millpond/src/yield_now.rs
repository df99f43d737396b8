//! A pause of one turn.

use std::{future::poll_fn, mem, task::Poll};

/// Lets every other task have its turn: pending once, and ready to go on at once.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    // Ended by its own wake, which puts the task behind the others.
    poll_fn(|cx| {
        if mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
