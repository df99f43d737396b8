//! Says why the upstream took no connection, and not too often: a thousand clients may hear of it at once.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::address::Address;

/// A line a second at most.
const BETWEEN_LINES: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Refusals {
    upstream: Address,
    /// Shared by the workers; a connection has failed before anyone gets here.
    told: Mutex<Told>,
}

#[derive(Debug, Default)]
struct Told {
    last: Option<Instant>,
    /// Not told of since then.
    unsaid: u64,
}

impl Refusals {
    pub(crate) fn new(upstream: &Address) -> Self {
        Self { upstream: upstream.clone(), told: Mutex::default() }
    }

    pub(crate) fn tell(&self, error: &io::Error) {
        let Some(unsaid) = self.told.lock().unwrap_or_else(PoisonError::into_inner).take_turn() else {
            return;
        };
        let others =
            if unsaid == 0 { String::new() } else { format!(" ({unsaid} more since the last line)") };
        // If nobody reads there, the table's count tells all the same.
        let _ = writeln!(io::stderr(), "proxy: upstream {}: {error}{others}", self.upstream);
    }
}

impl Told {
    /// How many were left unsaid, if it is time for another line.
    fn take_turn(&mut self) -> Option<u64> {
        let now = Instant::now();
        if self.last.is_some_and(|last| now < last + BETWEEN_LINES) {
            self.unsaid += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.unsaid))
    }
}
