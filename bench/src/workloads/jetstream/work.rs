//! What is done with each message, and the proof that it was done once.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::measure::check;
use crate::workloads::steps::compute;

/// Of a payload; its number is in the first eight.
pub(super) const PAYLOAD_BYTES: usize = 32;

/// The messages of one stretch, numbered from 0.
#[derive(Debug)]
pub(crate) struct Work {
    messages: u64,
    kind: Kind,
    /// A bit for each, set by its handler.
    seen: Vec<AtomicU64>,
    /// Those handled, and of them those that had been before.
    handled: AtomicU64,
    doubled: AtomicU64,
    /// When the first was handed over.
    begin: OnceLock<Instant>,
}

/// What a handler does.
#[derive(Debug)]
pub(super) enum Kind {
    Empty,
    /// So many steps.
    Computes(u64),
    /// Tells when it began.
    Tells(Begins),
}

/// To the thread that publishes.
#[derive(Debug)]
pub(super) struct Begins(mpsc::Sender<Instant>);

impl Begins {
    pub(super) fn channel() -> (Self, mpsc::Receiver<Instant>) {
        let (begins, begun) = mpsc::channel();
        (Begins(begins), begun)
    }
}

pub(super) fn payload(number: u64) -> Vec<u8> {
    let mut payload = vec![0x2e; PAYLOAD_BYTES];
    payload[..8].copy_from_slice(&number.to_le_bytes());
    payload
}

impl Work {
    pub(super) fn new(messages: u64, kind: Kind) -> Arc<Self> {
        let seen = (0..messages.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Work {
            messages,
            kind,
            seen,
            handled: AtomicU64::new(0),
            doubled: AtomicU64::new(0),
            begin: OnceLock::new(),
        })
    }

    /// How many there are.
    pub(crate) fn messages(&self) -> u64 {
        self.messages
    }

    /// Whether a handler is done in no time: then a task for each is a waste.
    pub(crate) fn is_short(&self) -> bool {
        !matches!(self.kind, Kind::Computes(_))
    }

    /// The handler. True for the last one.
    ///
    /// Relaxed: the threads are joined before anyone looks.
    pub(crate) fn handle(&self, payload: &[u8]) -> bool {
        self.begin.get_or_init(Instant::now);
        match &self.kind {
            Kind::Empty => {}
            Kind::Computes(steps) => {
                compute(*steps);
            }
            // Nobody listens once the publisher has failed.
            Kind::Tells(Begins(begins)) => drop(begins.send(Instant::now())),
        }
        let number = payload.first_chunk().map_or(u64::MAX, |number| u64::from_le_bytes(*number));
        let bit = 1 << (number % 64);
        let was = self.seen.get((number / 64) as usize).map_or(bit, |bits| bits.fetch_or(bit, Relaxed));
        if was & bit != 0 {
            self.doubled.fetch_add(1, Relaxed);
        }
        self.handled.fetch_add(1, Relaxed) + 1 == self.messages
    }

    pub(super) fn begin(&self) -> Result<Instant, String> {
        self.begin.get().copied().ok_or_else(|| "nothing was handled".to_owned())
    }

    pub(super) fn check(&self) -> Result<(), String> {
        check("messages handled", self.handled.load(Relaxed), self.messages)?;
        check("messages handled twice, or unknown", self.doubled.load(Relaxed), 0)
    }
}
