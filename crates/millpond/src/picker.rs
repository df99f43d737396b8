//! Which job a worker starts next, of those that any worker may start.
//!
//! For each class it looks in three places: what this worker has at hand, the shared queue, what another worker has at hand.
//! Interactive jobs come first, wherever they are, and a bulk one every so many times.

use crate::{Class, backlog::Backlog, metrics::Counters, remote::Remote, shared::Shared, task::Task};
use std::collections::VecDeque;

/// The most jobs taken off a shared queue at once. Over so many the cost of its lock, some 100 ns when others want it
/// too, is little beside each job; and what others then have to take from here stays little.
const MOST_BATCH_JOBS: usize = 32;
/// One start in so many looks at the shared queue first, so that jobs which spawn jobs do not keep it waiting for ever. As
/// many as a batch: it then costs what a batch costs.
const SHARED_FIRST_EVERY: u32 = 32;
/// One start in so many is a bulk job's, if one waits: the weight that bulk work has beside interactive work. Enough for it
/// to come to its end, and it slows the others down by no more than an eighth.
const BULK_EVERY: u32 = 8;

/// One worker's.
pub(crate) struct Picker {
    /// The worker.
    me: usize,
    /// Counts the looks for a job, and wraps.
    turns: u32,
    /// Counts those for a job of each class, and wraps.
    turns_of: [u32; 2],
    /// What was taken off another queue, on its way to the backlog. Empty but within `next_of`.
    batch: VecDeque<Task>,
}

impl Picker {
    pub(crate) fn new(me: usize) -> Picker {
        Picker { me, turns: 0, turns_of: [0; 2], batch: VecDeque::new() }
    }

    /// Takes the next job.
    pub(crate) fn next(&mut self, shared: &Shared, remote: &Remote) -> Option<(Task, Class)> {
        self.turns = self.turns.wrapping_add(1);
        let first = if self.turns % BULK_EVERY == 0 { Class::Bulk } else { Class::Interactive };
        let second = first.other();
        match self.next_of(first, shared, remote) {
            Some(job) => Some((job, first)),
            None => self.next_of(second, shared, remote).map(|job| (job, second)),
        }
    }

    fn next_of(&mut self, class: Class, shared: &Shared, remote: &Remote) -> Option<Task> {
        let (backlog, counters) = (&remote.backlogs[class], &remote.counters);
        let turns = &mut self.turns_of[class as usize];
        *turns = turns.wrapping_add(1);
        if *turns % SHARED_FIRST_EVERY != 0 {
            if let Some(job) = backlog.pop() {
                return Some(job);
            }
        }
        let taken = self.take_shared(class, shared, counters);
        let job = taken.or_else(|| backlog.pop()).or_else(|| self.steal(class, shared, counters))?;
        if !self.batch.is_empty() {
            backlog.append(&mut self.batch);
        }
        // There may be more than this worker can see to. What it took is published by now, and whoever falls asleep after
        // this look sees it there.
        if has_more(shared, remote) {
            shared.wake_one();
        }
        Some(job)
    }

    fn take_shared(&mut self, class: Class, shared: &Shared, counters: &Counters) -> Option<Task> {
        // With fewer jobs than workers each takes one; batches form under load.
        let workers = shared.workers.len();
        let share = |jobs: usize| (jobs / workers).clamp(1, MOST_BATCH_JOBS);
        let job = shared.queues[class].take(share, &mut self.batch)?;
        counters.batches.add_one();
        counters.batch_jobs.add(1 + self.batch.len() as u64);
        Some(job)
    }

    fn steal(&mut self, class: Class, shared: &Shared, counters: &Counters) -> Option<Task> {
        let workers = &shared.workers;
        // From the next one on, so that thieves do not all meet at the first.
        let others = (1..workers.len()).map(|step| (self.me + step) % workers.len());
        let job = others.filter_map(|other| workers[other].backlogs[class].steal(&mut self.batch)).next()?;
        counters.steals.add_one();
        counters.stolen_jobs.add(1 + self.batch.len() as u64);
        Some(job)
    }
}

/// Whether jobs wait here that another worker could take.
pub(crate) fn has_more(shared: &Shared, remote: &Remote) -> bool {
    !remote.backlogs.iter().all(Backlog::is_empty) || shared.queued() > 0
}
