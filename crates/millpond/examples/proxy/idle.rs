//! The end of a connection that nothing moves on: its peer may be gone without a word.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The clock of one connection.
#[derive(Debug)]
pub(crate) struct Idle {
    limit: Option<Duration>,
    /// When something moved last, either way. Written by both directions, read by the one that waits.
    last: Cell<Instant>,
}

impl Idle {
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self { limit, last: Cell::new(Instant::now()) }
    }

    /// Something moved.
    pub(crate) fn reset(&self) {
        if self.limit.is_some() {
            self.last.set(Instant::now());
        }
    }

    /// Waits until nothing has moved for as long as the limit: one timer for each such time, whatever moves in it.
    pub(crate) async fn over(&self) {
        loop {
            // Without a limit, or with one past the end of the clock, it is never over.
            let over = self.limit.and_then(|limit| self.last.get().checked_add(limit));
            let Some(over) = over else { return std::future::pending().await };
            if over <= Instant::now() {
                return;
            }
            // Ended by the timer. What moves meanwhile puts the end off, and the next turn sees it.
            millpond::time::sleep_until(over).await;
        }
    }
}
