//! The floor of the round trip: two threads that wake each other by an eventfd, each reading its own on a bare ring.
//! No pool that waits on a ring for its jobs can do with less, unless it looks again before it waits.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use io_uring::{IoUring, opcode, types};
use rustix::event::{EventfdFlags, eventfd};

use crate::affinity::{cpu_of_worker, pin};
use crate::contender::Contender;
use crate::latency::Latencies;
use crate::measure::{Case, Failure, Metric, Outcome};
use crate::stopwatch::Stopwatch;
use crate::workloads::round_trip::{Rounds, percentiles};

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        // As a pool's threads are: the worker bound, the driver not.
        Contender::named("floor").workload("round-trip", |case| ping_pong(case, None)),
        // Both bound: to one CPU, and to two.
        Contender::named("floor-same-cpu").workload("round-trip", |case| ping_pong(case, cpu_of_worker(0))),
        Contender::named("floor-two-cpus").workload("round-trip", |case| ping_pong(case, cpu_of_worker(1))),
    ]
}

/// What one thread writes and the other waits for.
#[derive(Debug)]
struct Signal(OwnedFd);

impl Signal {
    fn new() -> io::Result<Arc<Self>> {
        Ok(Arc::new(Signal(eventfd(0, EventfdFlags::CLOEXEC)?)))
    }

    fn give(&self) {
        rustix::io::write(&self.0, &1u64.to_ne_bytes()).expect("an eventfd takes a one");
    }
}

/// A ring that reads one signal.
struct Waiter {
    // Before the buffer: the ring is closed first.
    ring: IoUring,
    signal: Arc<Signal>,
    /// Where the kernel writes. On the heap, and never moved while a read is in flight.
    count: Box<u64>,
}

impl Waiter {
    fn new(signal: Arc<Signal>) -> io::Result<Self> {
        Ok(Waiter { ring: IoUring::new(8)?, signal, count: Box::new(0) })
    }

    /// Waits for one signal. Ended by its write, before or after the read was submitted.
    fn wait(&mut self) -> io::Result<()> {
        let buffer: *mut u64 = &mut *self.count;
        let read = opcode::Read::new(types::Fd(self.signal.0.as_raw_fd()), buffer.cast(), 8).build();
        // SAFETY: descriptor and buffer are `self`'s own, and this call does not return before the kernel has
        // completed the read, but for an error of `submit_and_wait`, which ends the process's run.
        unsafe { self.ring.submission().push(&read) }.map_err(io::Error::other)?;
        self.ring.submit_and_wait(1)?;
        let completed = self.ring.completion().next().ok_or(io::ErrorKind::UnexpectedEof)?;
        if completed.result() == 8 { Ok(()) } else { Err(io::Error::other("the read came back short")) }
    }
}

/// The answering thread is bound as a pool's first worker.
fn ping_pong(case: Case, driver_cpu: Option<usize>) -> Outcome {
    let rounds = Rounds::of(case)?;
    exchange(rounds, driver_cpu).map_err(|error| Failure::Unable(format!("the ring: {error}")))
}

fn exchange(rounds: Rounds, driver_cpu: Option<usize>) -> io::Result<Vec<Metric>> {
    let (ping, pong) = (Signal::new()?, Signal::new()?);
    let (theirs, answer) = (Arc::clone(&ping), Arc::clone(&pong));
    let (all, cpu) = (rounds.warm_up() + rounds.count, cpu_of_worker(0));
    let answerer = thread::spawn(move || {
        pin(cpu);
        let mut waiter = Waiter::new(theirs).expect("a ring");
        for _ in 0..all {
            waiter.wait().expect("the signal comes");
            answer.give();
        }
    });
    pin(driver_cpu);
    let mut waiter = Waiter::new(pong)?;
    for _ in 0..rounds.warm_up() {
        ping.give();
        waiter.wait()?;
    }
    let mut latencies = Latencies::new();
    let stopwatch = Stopwatch::start();
    for _ in 0..rounds.count {
        rounds.pause();
        let sent = Instant::now();
        ping.give();
        waiter.wait()?;
        latencies.record(sent.elapsed());
    }
    let lap = stopwatch.stop();
    answerer.join().expect("the answerer ends");
    Ok(percentiles(&latencies, lap))
}
