//! Messages from one core to another through a ring of slots: one producer, one consumer, no lock, no sleep.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Instant;

use crate::affinity::{cpu_of_worker, pin};
use crate::measure::{Case, Outcome, check, per_job};
use crate::stopwatch::{Lap, Stopwatch};
use crate::workloads::job::{self, Job, Tally};
use crate::workloads::{channel, compute};

/// The capacity of `channel`'s bounded case.
const BOUNDED_SLOTS: usize = 1024;

/// So many that neither end waits where the other is off its CPU for a millisecond or more, and that a block comes back to
/// its allocator long after it was freed: in a small ring both ends pull at the same lines.
pub(super) const ROOMY_SLOTS: usize = 1 << 18;

/// What an end does before it tells the other. Told of each message, two ends at the same place would send its line to and
/// fro for each, which costs more than the message.
const STEP: u64 = 32;

/// Looks at the other end's position before the CPU is offered to it: a microsecond or two.
const LOOKS: u32 = 100;

/// A position that one end writes, away from what the other writes.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Position(AtomicU64);

/// Messages of `WORDS` words. Atomic words in place of unsafe code: relaxed, they are plain loads and stores.
#[derive(Debug)]
struct Ring<const WORDS: usize> {
    slots: Box<[[AtomicU64; WORDS]]>,
    sent: Position,
    received: Position,
}

impl<const WORDS: usize> Ring<WORDS> {
    /// `slots` is a power of two.
    fn new(slots: usize) -> Self {
        let slot = || std::array::from_fn(|_| AtomicU64::default());
        Ring {
            slots: (0..slots).map(|_| slot()).collect(),
            sent: Position::default(),
            received: Position::default(),
        }
    }

    fn slot(&self, position: u64) -> &[AtomicU64; WORDS] {
        &self.slots[position as usize & (self.slots.len() - 1)]
    }

    /// All positions that an end tells are multiples of [`STEP`], as the number of slots is; but for the last one sent.
    fn send_all(&self, messages: impl Iterator<Item = [u64; WORDS]>) {
        // The other end's position as it was last seen: its line is fetched only when this says full.
        let slots = self.slots.len() as u64;
        let mut free_until = slots;
        let mut position = 0;
        for message in messages {
            if position % STEP == 0 {
                self.sent.0.store(position, Release);
                if position == free_until {
                    // Ended by the consumer, which never stops before the last message.
                    free_until = wait_beyond(&self.received, position - slots) + slots;
                }
            }
            for (word, value) in self.slot(position).iter().zip(message) {
                word.store(value, Relaxed);
            }
            position += 1;
        }
        self.sent.0.store(position, Release);
    }

    fn receive_all(&self, count: u64, mut each: impl FnMut([u64; WORDS])) {
        let mut sent_until = 0;
        for position in 0..count {
            if position % STEP == 0 {
                self.received.0.store(position, Release);
                if position == sent_until {
                    // Ended by the producer, which sends `count` messages.
                    sent_until = wait_beyond(&self.sent, position);
                }
            }
            let slot = self.slot(position);
            each(std::array::from_fn(|index| slot[index].load(Relaxed)));
        }
    }
}

/// Waits awake until the position is another than `old`; returns it.
fn wait_beyond(position: &Position, old: u64) -> u64 {
    let mut looks = 0;
    loop {
        let now = position.0.load(Acquire);
        if now != old {
            return now;
        }
        looks += 1;
        if looks < LOOKS { std::hint::spin_loop() } else { thread::yield_now() }
    }
}

/// The CPUs of the two threads: those of a pool's first two workers, as far as there are so many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cpus {
    producer: Option<usize>,
    consumer: Option<usize>,
}

impl Cpus {
    /// To be called before any thread is bound.
    pub(super) fn choose() -> Self {
        Cpus { producer: cpu_of_worker(1).or(cpu_of_worker(0)), consumer: cpu_of_worker(0) }
    }
}

/// Sends `count` messages from this thread to another, which folds them into a sum. The lap ends with the last fold.
pub(super) fn hand_over<const WORDS: usize, T: Send>(
    cpus: Cpus,
    slots: usize,
    count: u64,
    messages: impl Iterator<Item = [u64; WORDS]>,
    mut sum: T,
    mut fold: impl FnMut(&mut T, [u64; WORDS]) + Send,
) -> (Lap, T) {
    let ring = Arc::new(Ring::<WORDS>::new(slots));
    let up = Barrier::new(2);
    thread::scope(|scope| {
        let (theirs, consumer_up) = (Arc::clone(&ring), &up);
        let consumer = scope.spawn(move || {
            pin(cpus.consumer);
            consumer_up.wait();
            theirs.receive_all(count, |message| fold(&mut sum, message));
            (sum, Instant::now())
        });
        pin(cpus.producer);
        // Ended by the consumer's start.
        up.wait();
        let stopwatch = Stopwatch::start();
        ring.send_all(messages);
        let (sum, ended) = consumer.join().expect("the consumer ends");
        (stopwatch.stop_at(ended), sum)
    })
}

pub(super) fn channel(case: Case) -> Outcome {
    let jobs = channel::jobs(case);
    let slots = if case.variant == "capacity=1024" { BOUNDED_SLOTS } else { ROOMY_SLOTS };
    Ok(per_job(typed_jobs(slots, jobs)?, jobs))
}

pub(super) fn compute(case: Case) -> Outcome {
    let jobs = compute::jobs(case);
    Ok(per_job(typed_jobs(ROOMY_SLOTS, jobs)?, jobs))
}

fn typed_jobs(slots: usize, jobs: u64) -> Result<Lap, String> {
    let cpus = Cpus::choose();
    after_warm_up(jobs, |count| {
        let messages = job::jobs(count).map(Job::to_words);
        let count_answer = |tally: &mut Tally, words| tally.count(Job::from_words(words).answer());
        let (lap, tally) = hand_over(cpus, slots, count, messages, Tally::default(), count_answer);
        check("the answers", tally, Tally::expected(count)).map(|()| lap)
    })
}

/// Unmeasured first, with a tenth: threads, caches and the allocator's arenas are warm then.
pub(super) fn after_warm_up(jobs: u64, run: impl Fn(u64) -> Result<Lap, String>) -> Result<Lap, String> {
    run(jobs / 10)?;
    run(jobs)
}
