//! The connections that were offered to workers, until one has taken them.

use super::{Listener, balance::Chooser, connection::Offer, state::State};
use crate::shrink;
use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

/// How long an offer lies at a worker that does not move before another one gets it. Longer than the kernel keeps a thread
/// off its CPU for others, 3 milliseconds for each of these, so that a worker which only had to wait for its CPU keeps its
/// share: at 20, and five runnable threads a CPU, one run in some dozens was uneven.
const PATIENCE: Duration = Duration::from_millis(50);

/// The offers of one server, in the order in which they were made.
#[derive(Debug)]
pub(super) struct Offers<L: Listener> {
    waiting: VecDeque<Waiting<L>>,
    /// For each worker that was found in a long poll, the count of its steps then: until it moves it gets nothing.
    stuck: Box<[Option<usize>]>,
}

#[derive(Debug)]
struct Waiting<L: Listener> {
    offer: Arc<Offer<L>>,
    worker: usize,
    /// The workers that were asked before this one. While it is not taken, their jobs have not run: so each needs one at most.
    asked: Vec<usize>,
    since: Instant,
    /// The worker's count of steps then.
    steps: usize,
}

impl<L: Listener> Offers<L> {
    pub(super) fn new(workers: usize) -> Offers<L> {
        Offers { waiting: VecDeque::new(), stuck: vec![None; workers].into() }
    }

    /// The worker for a connection, of those that have room; of these, if there are any, one that would come for it.
    pub(super) fn choose(&self, state: &State, chooser: &Chooser) -> Option<usize> {
        let workers = state.workers();
        let moving = |worker| state.room.on(worker).filter(|_| self.comes(state, worker));
        chooser.choose(workers, moving).or_else(|| chooser.choose(workers, |worker| state.room.on(worker)))
    }

    /// It would come and take one.
    fn comes(&self, state: &State, worker: usize) -> bool {
        self.stuck[worker] != Some(state.steps_of(worker)) && state.may_start_on(worker)
    }

    /// Notes what was offered.
    pub(super) fn note(&mut self, state: &State, offer: Arc<Offer<L>>, worker: usize, now: Instant) {
        self.forget_taken();
        let (asked, steps) = (Vec::new(), state.steps_of(worker));
        self.waiting.push_back(Waiting { offer, worker, asked, since: now, steps });
    }

    /// When to look at them again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.front().map(|waiting| waiting.since + PATIENCE)
    }

    /// Looks after those that have waited for long: each at a worker that has not moved is offered, by `send`, to another one
    /// that does.
    pub(super) fn see_to(
        &mut self,
        state: &State,
        chooser: &mut Chooser,
        now: Instant,
        mut send: impl FnMut(usize, Arc<Offer<L>>),
    ) {
        self.forget_taken();
        while self.deadline().is_some_and(|deadline| deadline <= now) {
            let Some(mut waiting) = self.waiting.pop_front() else { return };
            let steps = state.steps_of(waiting.worker);
            if steps == waiting.steps {
                self.stuck[waiting.worker] = Some(steps);
            }
            if !self.comes(state, waiting.worker) {
                if let Some(other) = self.choose_another(state, chooser, waiting.worker) {
                    if waiting.offer.move_to(other) {
                        chooser.chose(other);
                        let is_first = !waiting.asked.contains(&other);
                        let before = std::mem::replace(&mut waiting.worker, other);
                        if !waiting.asked.contains(&before) {
                            waiting.asked.push(before);
                        }
                        if is_first {
                            send(other, Arc::clone(&waiting.offer));
                        }
                    }
                }
            }
            if !waiting.offer.is_taken() {
                let steps = state.steps_of(waiting.worker);
                self.waiting.push_back(Waiting { since: now, steps, ..waiting });
            }
        }
    }

    fn choose_another(&self, state: &State, chooser: &Chooser, worker: usize) -> Option<usize> {
        self.choose(state, chooser).filter(|&other| other != worker && self.comes(state, other))
    }

    fn forget_taken(&mut self) {
        while self.waiting.front().is_some_and(|waiting| waiting.offer.is_taken()) {
            self.waiting.pop_front();
        }
        shrink::emptied(&mut self.waiting);
    }
}
