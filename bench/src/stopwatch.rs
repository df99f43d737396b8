//! Wall time and CPU time of a stretch of the run.

use std::ops::Add;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::alloc;

/// Started where the measured part begins.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    started: Instant,
    cpu: Duration,
    allocated: Option<alloc::Count>,
}

/// What the measured part took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lap {
    pub(crate) wall: Duration,
    /// Of all threads of the process.
    pub(crate) cpu: Duration,
    /// In the program that counts.
    pub(crate) allocated: Option<alloc::Count>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Stopwatch { allocated: alloc::count(), cpu: cpu_time(), started: Instant::now() }
    }

    pub(crate) fn stop(&self) -> Lap {
        self.stop_at(Instant::now())
    }

    /// The wall time ends at `end`, where others than the caller have ended the measured part.
    pub(crate) fn stop_at(&self, end: Instant) -> Lap {
        Lap {
            wall: end - self.started,
            cpu: cpu_time() - self.cpu,
            allocated: alloc::count().zip(self.allocated).map(|(now, then)| now - then),
        }
    }
}

impl Add for Lap {
    type Output = Lap;

    fn add(self, other: Lap) -> Lap {
        let (wall, cpu) = (self.wall + other.wall, self.cpu + other.cpu);
        let allocated = self.allocated.zip(other.allocated).map(|(one, two)| alloc::Count {
            allocations: one.allocations + two.allocations,
            bytes: one.bytes + two.bytes,
        });
        Lap { wall, cpu, allocated }
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
