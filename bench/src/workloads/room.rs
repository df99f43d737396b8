//! Whether what a run queues fits into memory: where senders outrun workers, an unbounded queue may hold all jobs, and the
//! kernel would kill the process.

use crate::measure::Failure;
use crate::memory::{available_bytes, peak_bytes, resident_bytes};

const GIB: f64 = (1u64 << 30) as f64;

/// What the process had at most before its warm-up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    peak_before: u64,
}

impl Room {
    /// To be called right before the warm-up.
    pub(super) fn before_warm_up() -> Result<Self, String> {
        Ok(Room { peak_before: peak_bytes()? })
    }

    /// An error if `jobs` may need more than there is, by what each of the warm-up's `warmed` took.
    pub(super) fn check(self, warmed: u64, jobs: u64) -> Result<(), Failure> {
        let bytes_per_job = (peak_bytes()? - self.peak_before) as f64 / warmed as f64;
        // What the process still holds serves again.
        let there = (available_bytes()? + resident_bytes()?) as f64;
        let needed = bytes_per_job * jobs as f64;
        if needed < there {
            return Ok(());
        }
        let (needed, there) = (needed / GIB, there / GIB);
        Err(Failure::Unable(format!(
            "may need {needed:.1} GiB at {bytes_per_job:.0} B a job; {there:.1} are there"
        )))
    }
}
