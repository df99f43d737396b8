//! Wall time, CPU time and context switches of a stretch of the run.

use std::ops::Add;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use rustix::time::{ClockId, clock_gettime};

use crate::alloc;

/// Started where the measured part begins.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    started: Instant,
    cpu: Duration,
    switches: u64,
    allocated: Option<alloc::Count>,
}

/// What the measured part took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lap {
    pub(crate) wall: Duration,
    /// Of all threads of the process.
    pub(crate) cpu: Duration,
    /// Context switches of all threads, those that wait and those that must.
    pub(crate) switches: u64,
    /// In the program that counts.
    pub(crate) allocated: Option<alloc::Count>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Stopwatch {
            allocated: alloc::count(),
            switches: switches(),
            cpu: cpu_time(),
            started: Instant::now(),
        }
    }

    pub(crate) fn stop(&self) -> Lap {
        self.stop_at(Instant::now())
    }

    /// The wall time ends at `end`, where others than the caller have ended the measured part.
    pub(crate) fn stop_at(&self, end: Instant) -> Lap {
        Lap {
            wall: end - self.started,
            cpu: cpu_time() - self.cpu,
            switches: switches() - self.switches,
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
        Lap { wall, cpu, switches: self.switches + other.switches, allocated }
    }
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn switches() -> u64 {
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("a process may know what it uses");
    (usage.voluntary_context_switches() + usage.involuntary_context_switches()) as u64
}
