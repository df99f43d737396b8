//! All workers of a pool held up, so that what is sent meanwhile is queued.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use crate::pool::Pool;

/// Longer than any idle worker takes to begin a job.
const PATIENCE: Duration = Duration::from_millis(50);

/// How often a pool is helped on: ten seconds, in which a busy machine runs every thread.
const TRIES: usize = 200;

/// Holds each worker by a job that blocks it, until it is dropped.
#[derive(Debug)]
pub(super) struct Held(Arc<Gate>);

#[derive(Debug, Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    open: bool,
}

impl Held {
    /// One after the other: of two sent at once a worker might take both.
    pub(super) fn all<P: Pool>(pool: &P, workers: usize) -> Result<Self, String> {
        let held = Held(Arc::default());
        for number in 1..=workers {
            let gate = Arc::clone(&held.0);
            pool.detach(move || gate.hold());
            let mut tries = 0..TRIES;
            while !held.0.holds(number) {
                tries
                    .next()
                    .ok_or_else(|| format!("only {} of {workers} workers could be held", number - 1))?;
                // A pool may have told a worker of the job that cannot take it: this tells the next.
                pool.detach(|| ());
            }
        }
        Ok(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.state.lock().expect("nothing panics under the lock").open = true;
        self.0.changed.notify_all();
    }
}

impl Gate {
    /// Called on a worker.
    fn hold(&self) {
        let mut state = self.state.lock().expect("nothing panics under the lock");
        state.held += 1;
        self.changed.notify_all();
        // Ended by the drop of `Held`.
        let state = self.changed.wait_while(state, |state| !state.open);
        drop(state.expect("nothing panics under the lock"));
    }

    /// Whether `number` workers are held, now or in a moment.
    fn holds(&self, number: usize) -> bool {
        let state = self.state.lock().expect("nothing panics under the lock");
        // Ended by the worker that is held next, or by the end of patience.
        let waited = self.changed.wait_timeout_while(state, PATIENCE, |state| state.held < number);
        waited.expect("nothing panics under the lock").0.held >= number
    }
}
