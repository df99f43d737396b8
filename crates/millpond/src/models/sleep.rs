//! The hand-off: no work is left behind with its loop asleep.

use super::{Bell, leak};
use crate::{
    backlog::Backlog,
    driver::Signal,
    shutdown::Exits,
    sleep::{Seat, Sleepers},
    task::{Origin, Task},
    trace::Span,
};
use loom::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    thread,
};
use std::{
    collections::VecDeque,
    task::{Context, Poll, Wake, Waker},
};

struct Model {
    /// Stands for an inbox or a queue.
    work: AtomicUsize,
    seats: Vec<(Seat, std::sync::Arc<Bell>)>,
    sleepers: Sleepers,
}

fn model(seats: usize) -> &'static Model {
    let seat = |_| {
        let bell = std::sync::Arc::new(Bell::new());
        (Seat::new(std::sync::Arc::clone(&bell) as _), bell)
    };
    leak(Model {
        work: AtomicUsize::new(0),
        seats: (0..seats).map(seat).collect(),
        sleepers: Sleepers::new(),
    })
}

impl Model {
    fn take(&self) -> bool {
        self.work.fetch_update(Relaxed, Relaxed, |work| work.checked_sub(1)).is_ok()
    }

    /// A loop that waits for one piece of work of its own.
    fn run_own(&self, looks_again: bool) {
        let (seat, bell) = &self.seats[0];
        while !self.take() {
            seat.announce();
            if looks_again && self.work.load(Relaxed) > 0 {
                seat.get_up();
                continue;
            }
            bell.wait();
            seat.get_up();
        }
    }

    /// A worker that waits for one piece of shared work, and passes on what is more.
    fn run_shared(&self, worker: u16) {
        let (seat, bell) = &self.seats[usize::from(worker)];
        while !self.take() {
            seat.announce();
            self.sleepers.announce(worker);
            if self.work.load(Relaxed) == 0 {
                bell.wait();
            }
            seat.get_up();
            self.sleepers.get_up(worker);
        }
        if self.work.load(Relaxed) > 0 {
            self.wake_one();
        }
    }

    fn wake_one(&self) {
        if let Some(sleeper) = self.sleepers.take_one(|_| 0) {
            self.seats[usize::from(sleeper)].0.unpark();
        }
    }
}

/// For three threads, which have more orders than can be run. Faults of such protocols show within two or three
/// preemptions, as loom's own guide has it.
fn bounded() -> loom::model::Builder {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model
}

fn one_loop(looks_again: bool) {
    loom::model(move || {
        let model = model(1);
        let bringer = thread::spawn(move || {
            model.work.fetch_add(1, Relaxed);
            model.seats[0].0.unpark();
        });
        model.run_own(looks_again);
        bringer.join().unwrap();
    });
}

#[test]
fn loom_work_for_a_loop_finds_it_awake_or_wakes_it() {
    one_loop(true);
}

#[test]
#[should_panic(expected = "deadlock")]
fn loom_catches_a_loop_that_does_not_look_again() {
    one_loop(false);
}

#[test]
#[should_panic(expected = "deadlock")]
fn loom_catches_a_bringer_that_looks_before_it_publishes() {
    loom::model(|| {
        let model = model(1);
        let bringer = thread::spawn(move || {
            model.seats[0].0.unpark();
            model.work.fetch_add(1, Relaxed);
        });
        model.run_own(true);
        bringer.join().unwrap();
    });
}

#[test]
fn loom_two_bringers_wake_a_loop_for_both_of_their_pieces() {
    bounded().check(|| {
        let model = model(1);
        let bringers = [(); 2].map(|()| {
            thread::spawn(move || {
                model.work.fetch_add(1, Relaxed);
                model.seats[0].0.unpark();
            })
        });
        model.run_own(true);
        model.run_own(true);
        bringers.into_iter().for_each(|bringer| bringer.join().unwrap());
    });
}

#[test]
fn loom_shared_work_is_taken_by_whoever_sleeps() {
    bounded().check(|| {
        let model = model(2);
        let workers = [0, 1].map(|worker| thread::spawn(move || model.run_shared(worker)));
        for _ in 0..2 {
            model.work.fetch_add(1, Relaxed);
            model.wake_one();
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

/// A worker takes two jobs, and the first computes until the second has run; so another worker has to run that one.
fn what_is_at_hand(publishes_first: bool) {
    loom::model(move || {
        let (model, backlog) = (model(1), leak(Backlog::new()));
        let ran = leak(Bell::new());
        let idle = thread::spawn(move || {
            let (seat, bell) = &model.seats[0];
            while backlog.steal(&mut VecDeque::new()).is_none_or(|job| job.never_start().is_none()) {
                seat.announce();
                model.sleepers.announce(0);
                if backlog.is_empty() {
                    bell.wait();
                }
                seat.get_up();
                model.sleepers.get_up(0);
            }
            ran.notify();
        });
        let job = || {
            let origin = Origin::here();
            Task::queued(0, origin, Span::of_job(origin, 0), || std::future::ready(())).0
        };
        let mut batch = VecDeque::from([job()]);
        if publishes_first {
            backlog.append(&mut batch);
            model.wake_one();
        } else {
            model.wake_one();
            backlog.append(&mut batch);
        }
        // Ended by the other worker alone: this one computes.
        ran.wait();
        idle.join().unwrap();
    });
}

#[test]
fn loom_what_a_worker_has_at_hand_finds_another_awake_or_wakes_it() {
    what_is_at_hand(true);
}

#[test]
#[should_panic(expected = "deadlock")]
fn loom_catches_a_worker_that_wakes_another_before_it_publishes() {
    what_is_at_hand(false);
}

struct Ring(std::sync::Arc<Bell>);

impl Wake for Ring {
    fn wake(self: std::sync::Arc<Self>) {
        self.0.notify();
    }
}

/// Whoever awaits a shutdown leaves a waker and looks at the count, in one poll.
fn awaited_shutdown(leaves_its_waker: bool) {
    loom::model(move || {
        let exits = leak(Exits::new(2));
        let workers = [(); 2].map(|()| thread::spawn(move || exits.count_one()));
        let bell = std::sync::Arc::new(Bell::new());
        let waker = Waker::from(std::sync::Arc::new(Ring(std::sync::Arc::clone(&bell))));
        let waker = if leaves_its_waker { &waker } else { Waker::noop() };
        while let Poll::Pending = exits.poll_all(&mut Context::from_waker(waker)) {
            bell.wait();
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
}

#[test]
fn loom_the_last_worker_to_end_wakes_the_shutdown() {
    awaited_shutdown(true);
}

#[test]
#[should_panic(expected = "deadlock")]
fn loom_catches_a_shutdown_whose_waker_was_not_left() {
    awaited_shutdown(false);
}
