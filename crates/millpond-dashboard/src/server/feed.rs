//! The newest state of the pool, made once for all who read it.

use super::{
    sampler::Sampler,
    snapshot::{Snapshot, StallView, Stalls},
};
use millpond::{Handle, Stall};
use serde::Serialize;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How far apart two states are.
pub(crate) const TICK: Duration = Duration::from_secs(1);

/// What all connections of a dashboard share.
///
/// Nobody drives it: each reader has a timer of its own for the next tick, and the first to come makes the state that the
/// others then find. So nothing runs while nobody reads, and a worker that is held up holds up its own readers only, where a
/// task that ticks for all would hold up everyone whenever its worker computes.
#[derive(Debug)]
pub(crate) struct Feed {
    pool: Handle,
    name: Option<String>,
    /// Tick 0.
    began: Instant,
    newest: Mutex<Newest>,
}

#[derive(Debug, Default)]
struct Newest {
    sampler: Sampler,
    /// Of the last snapshot.
    sequence: u64,
    /// What was made for readers, and in which tick.
    state: Option<(u64, Chunk)>,
    /// What the last `stalls` event told.
    told: Vec<Stall>,
    stalls: Option<(StallsVersion, Chunk)>,
}

/// A number that changes whenever the stalls that are told do.
pub(crate) type StallsVersion = u64;

/// Bytes of the stream of events, the same for all readers.
pub(crate) type Chunk = Arc<Vec<u8>>;

/// What a reader is to have now.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) tick: u64,
    pub(crate) state: Chunk,
    pub(crate) stalls_version: StallsVersion,
    pub(crate) stalls: Chunk,
}

impl Feed {
    pub(crate) fn new(pool: Handle, name: Option<String>) -> Feed {
        Feed { pool, name, began: Instant::now(), newest: Mutex::default() }
    }

    pub(crate) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(crate) fn pool(&self) -> &Handle {
        &self.pool
    }

    /// When a tick begins.
    pub(crate) fn start_of(&self, tick: u64) -> Instant {
        // A reader waits for the next one, so the number is as small as the dashboard's life in seconds.
        self.began + TICK * u32::try_from(tick).unwrap_or(u32::MAX)
    }

    /// The state of the present tick.
    pub(crate) fn frame(&self) -> Frame {
        let tick = self.began.elapsed().as_secs() / TICK.as_secs();
        // Ended by another reader that makes the state: within a millisecond for 64 workers, with no await and no code of a
        // user in it. What a reader who panicked there left is remade below.
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let state = match &newest.state {
            Some((made, state)) if *made >= tick => Arc::clone(state),
            _ => {
                let state = Arc::new(self.state_event(&mut newest));
                newest.state = Some((tick, Arc::clone(&state)));
                state
            }
        };
        let (stalls_version, stalls) = newest.stalls.clone().unwrap_or_else(|| (0, Arc::default()));
        Frame { tick, state, stalls_version, stalls }
    }

    /// All that there is, as of now.
    pub(crate) fn full_json(&self) -> Vec<u8> {
        // Waits as `frame` does.
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        newest.sequence += 1;
        let sample = newest.sampler.sample(self.pool.metrics());
        let stalls = self.pool.stalls();
        let snapshot = Snapshot::new(newest.sequence, self.name(), &sample).in_full(&sample, &stalls);
        let mut json = json(&snapshot);
        json.push(b'\n');
        json
    }

    fn state_event(&self, newest: &mut Newest) -> Vec<u8> {
        newest.sequence += 1;
        let sample = newest.sampler.sample(self.pool.metrics());
        newest.look_at_stalls(self.pool.stalls());
        let snapshot = Snapshot::new(newest.sequence, self.name(), &sample);
        event(&format!("id: {}\n", newest.sequence), &json(&snapshot))
    }
}

impl Newest {
    /// Makes the event anew only when there is news: a backtrace has several KiB, and there may be many.
    fn look_at_stalls(&mut self, stalls: Vec<Stall>) {
        let is_same = |(one, other): (&Stall, &Stall)| {
            (one.noticed, one.worker, one.held) == (other.noticed, other.worker, other.held)
        };
        let are_told = self.told.len() == stalls.len() && self.told.iter().zip(&stalls).all(is_same);
        if are_told && self.stalls.is_some() {
            return;
        }
        let view = Stalls { recent_stalls: stalls.iter().map(StallView::of).collect() };
        let version = self.stalls.as_ref().map_or(0, |(version, _)| *version) + 1;
        self.stalls = Some((version, Arc::new(event("event: stalls\n", &json(&view)))));
        self.told = stalls;
    }
}

/// One event: its fields, and its data, which JSON keeps on one line.
fn event(fields: &str, data: &[u8]) -> Vec<u8> {
    [fields.as_bytes(), b"data: ", data, b"\n\n"].concat()
}

fn json(view: &(impl Serialize + fmt::Debug)) -> Vec<u8> {
    // Structs of numbers and text, with no map and no writer that could fail.
    serde_json::to_vec(view).expect("a snapshot is JSON")
}
