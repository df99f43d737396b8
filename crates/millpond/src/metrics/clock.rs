//! Instants as numbers.

use crate::sync::now;
use std::{sync::LazyLock, time::Instant};

/// Nanoseconds since this process first asked, from 1 on.
pub(crate) fn nanos(at: Instant) -> u64 {
    static FIRST: LazyLock<Instant> = LazyLock::new(now);
    let first = *FIRST;
    // 584 years fit.
    at.saturating_duration_since(first).as_nanos() as u64 + 1
}
