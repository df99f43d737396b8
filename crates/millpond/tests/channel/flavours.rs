//! The flavours of a channel, each of which must pass the same tests.

use crate::common::unhung;
use millpond::channel::{Receiver, Sender, bounded, unbounded};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Flavour(pub(crate) Option<usize>);

impl Flavour {
    pub(crate) fn channel<T>(self) -> (Sender<T>, Receiver<T>) {
        self.0.map_or_else(unbounded, bounded)
    }

    /// How many of `wanted` messages it holds.
    pub(crate) fn room_for(self, wanted: usize) -> usize {
        self.0.map_or(wanted, |capacity| capacity.min(wanted))
    }
}

/// Runs `test` with each, and ends the process with its name if it hangs.
pub(crate) fn over_every_flavour(name: &str, test: impl Fn(Flavour)) {
    for flavour in [Some(1), Some(2), Some(1024), None].map(Flavour) {
        unhung(&format!("{name} with {flavour:?}"), || test(flavour));
    }
}
