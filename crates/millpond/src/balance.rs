//! Spreads jobs that wait for I/O: a worker with more tasks in flight than its share leaves new jobs to the others.
//!
//! A job that computes keeps its worker from taking more, so such jobs spread by themselves. A job that awaits does not:
//! the first worker that is up could start thousands before the next one is. So before a worker with live tasks starts
//! another job, it works out its *share*: the live tasks and the jobs that wait, of all workers, divided by their number.
//! Above it, the worker *defers*: it leaves the job to the worker with the fewest tasks, wakes that one if it sleeps, and
//! looks again after a short while.
//!
//! Nothing waits for long by this. The worker with the fewest tasks is never above the share. If it doesn't move, because
//! it computes, those who deferred to it find its count of steps unchanged, and leave it out of their sums until it moves.

use crate::{shared::Shared, sync::now};
use std::time::{Duration, Instant};

/// How long a worker defers before it looks who moves. Half of the millisecond that a job may wait beside a worker which
/// has time for it; the drivers' timers end it within the other half.
const PATIENCE_US: u64 = 500;
/// How many such looks a worker that has been woken may stand still. The kernel may let its thread wait for several
/// milliseconds on a busy machine, and it will look for jobs as soon as it runs.
const PATIENCE_WITH_WOKEN_LOOKS: u32 = 8;
/// A share is exceeded by a thirty-second before it counts: 3 %, of the 10 % within which the workers' counts shall be, and
/// fewer looks at the others' counts.
const TOLERANCE: usize = 32;
/// Tasks above the share that a worker takes on while those with fewer are all awake. One that is awake may compute for
/// long, and to defer to it costs the job its patience; a few tasks more are no imbalance worth that.
const SLACK_BESIDE_AWAKE_TASKS: usize = 8;

/// One worker's view of its share.
pub(crate) struct Balance {
    me: usize,
    /// Live tasks up to which this worker starts jobs without a look at the others, for so many more starts.
    limit: usize,
    good_for: usize,
    deferral: Option<Deferral>,
    /// For each worker that was found not to move its steps at that time.
    stuck: Box<[Option<usize>]>,
}

/// Since when jobs are left to others.
struct Deferral {
    since: Instant,
    looks: u32,
    /// Each worker's steps at `since`.
    steps: Box<[usize]>,
}

/// What one look at all workers shows.
struct Survey {
    limit: usize,
    /// The worker that has the fewest tasks of those that move.
    least: usize,
}

impl Balance {
    pub(crate) fn new(me: usize, workers: usize) -> Balance {
        Balance { me, limit: 0, good_for: 0, deferral: None, stuck: vec![None; workers].into() }
    }

    /// Whether this worker, with so many live tasks, should start a job of those that wait. If not, it has seen to it that
    /// another one looks.
    pub(crate) fn may_start(&mut self, shared: &Shared, tasks: usize) -> bool {
        if tasks == 0 {
            self.deferral = None;
            return true;
        }
        if tasks < self.limit && self.good_for > 0 {
            self.good_for -= 1;
            return true;
        }
        let survey = self.survey(shared, tasks);
        if tasks >= survey.limit && !self.defer(shared, tasks, survey.least) {
            return false;
        }
        self.deferral = None;
        self.limit = survey.limit;
        self.good_for = survey.limit / TOLERANCE;
        true
    }

    /// No job waits, so there is nothing to defer.
    pub(crate) fn rest(&mut self) {
        self.deferral = None;
        self.good_for = 0;
    }

    /// When a worker that defers has to look again.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deferral.as_ref().map(|deferral| deferral.since + Duration::from_micros(PATIENCE_US))
    }

    fn survey(&mut self, shared: &Shared, tasks: usize) -> Survey {
        let (mut waiting, mut live, mut able) = (shared.queued(), tasks, 1);
        let (mut least, mut fewest) = (self.me, tasks);
        for (index, worker) in shared.workers.iter().enumerate() {
            waiting += worker.backlog_len();
            let theirs = worker.load.tasks();
            if index == self.me || theirs >= shared.max_tasks_per_worker || self.is_stuck(shared, index) {
                continue;
            }
            live += theirs;
            able += 1;
            if theirs < fewest {
                (least, fewest) = (index, theirs);
            }
        }
        let share = (live + waiting).div_ceil(able);
        let limit = share + share / TOLERANCE;
        let slack = if shared.workers[least].seat.will_look() { 0 } else { SLACK_BESIDE_AWAKE_TASKS };
        Survey { limit: limit + slack, least }
    }

    fn is_stuck(&mut self, shared: &Shared, worker: usize) -> bool {
        let steps = shared.workers[worker].load.steps();
        self.stuck[worker] = self.stuck[worker].filter(|stuck| *stuck == steps);
        self.stuck[worker].is_some()
    }

    /// Leaves the job to others. True: those to whom it was left do not move, and this worker starts it after all.
    fn defer(&mut self, shared: &Shared, tasks: usize, least: usize) -> bool {
        let looks = match &self.deferral {
            Some(deferral) if now() - deferral.since < Duration::from_micros(PATIENCE_US) => return false,
            Some(deferral) => {
                let looks = deferral.looks + 1;
                self.leave_out_who_stands_still(shared);
                if tasks < self.survey(shared, tasks).limit {
                    return true;
                }
                looks
            }
            None => 0,
        };
        let steps = shared.workers.iter().map(|worker| worker.load.steps()).collect();
        self.deferral = Some(Deferral { since: now(), looks, steps });
        shared.workers[least].seat.unpark();
        false
    }

    fn leave_out_who_stands_still(&mut self, shared: &Shared) {
        let Some(deferral) = &self.deferral else { return };
        for (index, worker) in shared.workers.iter().enumerate() {
            let patient = worker.seat.will_look() && deferral.looks < PATIENCE_WITH_WOKEN_LOOKS;
            if worker.load.steps() == deferral.steps[index] && !patient {
                self.stuck[index] = Some(deferral.steps[index]);
            }
        }
    }
}
