//! The deliveries that a consumer has in its hands, and what it knows of one that comes once more.

use super::done::Done;
use crate::{delivery::Delivery, reply::Receipted};
use millpond::JoinHandle;
use std::{collections::VecDeque, sync::Arc};

/// Entries that are over may stay among the others, as long as they are no more than these and so many beside.
const OVER_BESIDE: usize = 64;

/// The intake's.
#[derive(Debug)]
pub(super) struct InFlight {
    /// In the order of their arrival. Some are over, until they are tidied away.
    entries: VecDeque<Entry>,
    /// Those that are over and tidied away.
    done: Done,
    /// Of all that came.
    newest: u64,
}

#[derive(Debug)]
struct Entry {
    delivery: Arc<Delivery>,
    /// Kept to abort it.
    job: JoinHandle<()>,
}

/// What a consumer knows of a message that is delivered once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is in its hands.
    InFlight,
    /// It is done.
    Done,
    /// Nothing, or it has failed.
    No,
}

impl InFlight {
    pub(super) fn new() -> InFlight {
        InFlight { entries: VecDeque::new(), done: Done::new(), newest: 0 }
    }

    /// True: it is one that has not come before. What is new comes in the order of the stream.
    pub(super) fn is_news(&mut self, delivery: &Delivery) -> bool {
        let Receipted { sequence, attempt, .. } = delivery.receipted;
        let is_newest = sequence > self.newest;
        self.newest = self.newest.max(sequence);
        is_newest && attempt == 1
    }

    pub(super) fn push(&mut self, delivery: Arc<Delivery>, job: JoinHandle<()>) {
        self.entries.push_back(Entry { delivery, job });
    }

    /// Lets go of those that are over. `live` is about how many are not.
    pub(super) fn tidy(&mut self, live: usize) {
        while self.entries.front().is_some_and(|entry| entry.delivery.is_over()) {
            let entry = self.entries.pop_front();
            entry.into_iter().for_each(|entry| self.remember(&entry.delivery));
        }
        // Behind one that takes long.
        if self.entries.len() > 2 * live + OVER_BESIDE {
            for entry in std::mem::take(&mut self.entries) {
                if entry.delivery.is_over() {
                    self.remember(&entry.delivery);
                } else {
                    self.entries.push_back(entry);
                }
            }
        }
    }

    fn remember(&mut self, delivery: &Delivery) {
        if delivery.is_done() {
            self.done.insert(&delivery.receipted);
        }
    }

    pub(super) fn known(&self, message: &Receipted) -> Known {
        // The newest first: a message may have failed here before.
        let newest =
            self.entries.iter().rev().find(|entry| entry.delivery.receipted.is_same_message(message));
        match newest {
            Some(entry) if !entry.delivery.is_over() => Known::InFlight,
            Some(entry) if entry.delivery.is_done() => Known::Done,
            _ if self.done.contains(message) => Known::Done,
            _ => Known::No,
        }
    }

    /// Those that are not over.
    pub(super) fn live(&self) -> impl Iterator<Item = &Arc<Delivery>> {
        self.entries.iter().map(|entry| &entry.delivery).filter(|delivery| !delivery.is_over())
    }

    /// Ends the jobs of those that have not ended.
    pub(super) fn abort(&self) {
        self.entries.iter().for_each(|entry| entry.job.abort());
    }
}
