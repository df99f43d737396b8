//! A NOP on a bare ring, submitted and waited for: what a ring costs before it does anything.

use std::io;
use std::time::Instant;

use io_uring::{IoUring, opcode};

use crate::affinity::{cpu_of_worker, pin};
use crate::latency::Latencies;
use crate::measure::{Case, Failure, Metric, Outcome};
use crate::stopwatch::Stopwatch;
use crate::workloads::round_trip::{Rounds, percentiles};

/// One system call for each `batch` of NOPs; the times are a NOP's share of it.
pub(super) fn rounds(case: Case, batch: u32) -> Outcome {
    pin(cpu_of_worker(0));
    measure(Rounds::of(case)?, batch).map_err(|error| Failure::Unable(format!("the ring: {error}")))
}

fn measure(rounds: Rounds, batch: u32) -> io::Result<Vec<Metric>> {
    let mut ring = IoUring::new(batch)?;
    for _ in 0..rounds.warm_up() {
        submit_and_wait(&mut ring, batch)?;
    }
    let mut latencies = Latencies::new();
    let stopwatch = Stopwatch::start();
    for _ in 0..rounds.count {
        rounds.pause();
        let sent = Instant::now();
        submit_and_wait(&mut ring, batch)?;
        latencies.record(sent.elapsed() / batch);
    }
    Ok(percentiles(&latencies, stopwatch.stop()))
}

fn submit_and_wait(ring: &mut IoUring, batch: u32) -> io::Result<()> {
    for _ in 0..batch {
        // SAFETY: a NOP has no memory and no descriptor that would have to live.
        unsafe { ring.submission().push(&opcode::Nop::new().build()) }.map_err(io::Error::other)?;
    }
    // Ended by the completions of them all.
    ring.submit_and_wait(batch as usize)?;
    let succeeded = ring.completion().filter(|completed| completed.result() == 0).count();
    if succeeded == batch as usize { Ok(()) } else { Err(io::Error::other("a NOP is missing")) }
}
