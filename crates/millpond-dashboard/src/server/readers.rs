//! How many read the events.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The places for readers.
#[derive(Clone, Debug)]
pub(crate) struct Readers {
    taken: Arc<AtomicUsize>,
    max: usize,
}

/// A reader's place. Dropping it makes it free.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Readers {
    pub(crate) fn new(max: usize) -> Readers {
        Readers { taken: Arc::default(), max }
    }

    /// `None`: all are taken.
    pub(crate) fn enter(&self) -> Option<Place> {
        // A count and no more: nothing else is seen by way of it.
        let more = |taken: usize| (taken < self.max).then_some(taken + 1);
        self.taken.fetch_update(Relaxed, Relaxed, more).ok().map(|_| Place(Arc::clone(&self.taken)))
    }

    pub(crate) fn count(&self) -> usize {
        self.taken.load(Relaxed)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_reader_goes() {
        let readers = Readers::new(2);
        let (first, second) = (readers.enter(), readers.enter());
        assert!(first.is_some() && second.is_some() && readers.enter().is_none());
        drop(first);
        assert_eq!(readers.count(), 1);
        assert!(readers.enter().is_some());
    }
}
