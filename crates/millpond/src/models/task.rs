//! The states of a task: who may touch what, and that no wake and no end is missed.

use super::{Bell, leak};
use crate::{
    driver::Signal,
    task::state::{Abort, BeginPoll, EndPoll, Leave, State},
};
use loom::{
    cell::UnsafeCell,
    sync::atomic::{
        AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    },
    thread,
};

const FREED: usize = usize::MAX;

struct Model {
    state: State,
    /// Stands for closure, future and output: loom reports two that touch it at once.
    stage: UnsafeCell<usize>,
    /// Stands for the join handle's waker.
    slot: UnsafeCell<usize>,
    bell: Bell,
    wakes: AtomicUsize,
}

impl Model {
    fn new(state: State) -> &'static Model {
        let (stage, slot) = (UnsafeCell::new(0), UnsafeCell::new(0));
        leak(Model { state, stage, slot, bell: Bell::new(), wakes: AtomicUsize::new(0) })
    }

    fn touch_stage(&self) {
        self.stage.with_mut(|stage| {
            // SAFETY: loom checks that nobody else is here.
            let stage = unsafe { &mut *stage };
            assert_ne!(*stage, FREED, "touched after it was freed");
            *stage += 1;
        });
    }

    fn free(&self) {
        self.touch_stage();
        self.stage.with_mut(|stage| {
            // SAFETY: loom checks that nobody else is here.
            unsafe { *stage = FREED };
        });
    }

    /// As a completer does.
    fn complete(&self) {
        let ended = self.state.complete(false);
        if ended.has_waker {
            self.slot.with(|slot| {
                // SAFETY: loom checks that nobody writes meanwhile.
                assert_eq!(unsafe { *slot }, 1, "a waker that has been lent is there");
            });
            self.bell.notify();
            if self.state.give_slot_back() {
                self.write_slot();
            }
        }
    }

    /// As a handle does that goes. True: the output was its to drop.
    fn leave(&self) -> bool {
        let left = self.state.drop_join();
        if matches!(left, Leave::Detached | Leave::Over { slot: true, .. }) {
            self.write_slot();
        }
        matches!(left, Leave::Over { output: true, .. })
    }

    fn wait_for_the_end(&self) {
        while !self.state.is_over() {
            self.bell.wait();
        }
    }

    fn write_slot(&self) {
        self.slot.with_mut(|slot| {
            // SAFETY: loom checks that nobody else is here.
            unsafe { *slot = 1 };
        });
    }
}

#[test]
fn loom_a_job_is_started_or_called_off_and_never_both() {
    loom::model(|| {
        let task = Model::new(State::queued());
        let worker = thread::spawn(move || {
            let started = task.state.start();
            if started {
                task.touch_stage();
                task.complete();
            }
            started
        });
        let called_off = task.state.abort() == Abort::CalledOff;
        if called_off {
            task.touch_stage();
            task.complete();
        }
        assert_ne!(worker.join().unwrap(), called_off);
        assert!(task.state.is_over());
    });
}

/// A shutdown or a deadline, and an abort.
fn two_call_a_job_off(first: fn(&State) -> bool) {
    loom::model(move || {
        let task = Model::new(State::queued());
        let shutdown = thread::spawn(move || {
            let mine = first(&task.state);
            if mine {
                task.touch_stage();
                task.complete();
            }
            mine
        });
        let mine = task.state.abort() == Abort::CalledOff;
        if mine {
            task.touch_stage();
            task.complete();
        }
        assert_ne!(shutdown.join().unwrap(), mine);
    });
}

fn join_against_the_end(writes_before_it_lends: bool) {
    loom::model(move || {
        let task = Model::new(State::queued());
        assert!(task.state.start());
        let worker = thread::spawn(move || {
            task.touch_stage();
            task.complete();
        });
        if !task.state.is_over() {
            if writes_before_it_lends {
                task.write_slot();
            }
            if task.state.lend_join_waker() {
                if !writes_before_it_lends {
                    task.write_slot();
                }
                task.wait_for_the_end();
            }
        }
        assert!(task.state.is_over());
        task.touch_stage();
        worker.join().unwrap();
    });
}

#[test]
fn loom_two_that_call_a_job_off_do_not_meet() {
    two_call_a_job_off(State::call_off);
    two_call_a_job_off(State::expire);
}

#[test]
fn loom_a_handle_that_waits_is_woken_by_the_end_and_then_owns_the_output() {
    join_against_the_end(true);
}

#[test]
#[should_panic]
fn loom_catches_a_handle_that_lends_its_slot_before_it_writes() {
    join_against_the_end(false);
}

#[test]
fn loom_a_handle_that_changes_its_waker_is_woken_by_the_end() {
    loom::model(|| {
        let task = Model::new(State::queued());
        assert!(task.state.start());
        task.write_slot();
        assert!(task.state.lend_join_waker());
        let worker = thread::spawn(move || {
            task.touch_stage();
            task.complete();
        });
        if task.state.reclaim_join_waker() {
            task.write_slot();
            if task.state.lend_join_waker() {
                task.wait_for_the_end();
            }
        }
        assert!(task.state.is_over());
        worker.join().unwrap();
    });
}

#[test]
fn loom_an_output_is_dropped_once_when_handle_and_end_meet() {
    loom::model(|| {
        let task = Model::new(State::queued());
        assert!(task.state.start());
        let worker = thread::spawn(move || {
            let drops = !task.state.complete(false).joined;
            if drops {
                task.touch_stage();
            }
            drops
        });
        let drops = task.leave();
        if drops {
            task.touch_stage();
        }
        assert_ne!(worker.join().unwrap(), drops);
    });
}

/// The references of a job that was just ended: the completer's and the handle's.
fn the_last_reference(forgets_what_was_released: bool) {
    loom::model(move || {
        let task = Model::new(State::queued());
        assert!(task.state.start());
        let worker = thread::spawn(move || {
            task.touch_stage();
            let released = task.state.complete_and_release(false).released;
            if !(released && forgets_what_was_released) && task.state.drop_reference() {
                task.free();
            }
        });
        if task.state.is_left_to_handle() {
            task.free();
        } else {
            if task.leave() {
                task.touch_stage();
            }
            if task.state.drop_reference() {
                task.free();
            }
        }
        worker.join().unwrap();
        task.stage.with(|stage| {
            // SAFETY: the worker has ended.
            assert_eq!(unsafe { *stage }, FREED);
        });
    });
}

#[test]
fn loom_the_last_reference_frees_the_cell() {
    the_last_reference(true);
}

#[test]
#[should_panic]
fn loom_catches_a_reference_that_is_dropped_twice() {
    the_last_reference(false);
}

#[test]
fn loom_the_last_to_be_done_with_the_slot_empties_it() {
    loom::model(|| {
        let task = Model::new(State::queued());
        assert!(task.state.start());
        task.write_slot();
        assert!(task.state.lend_join_waker());
        let worker = thread::spawn(move || {
            task.touch_stage();
            task.complete();
        });
        task.leave();
        worker.join().unwrap();
    });
}

/// A runner polls until it has seen the wake; each poll reads what the waker wrote.
fn wake_against_the_end_of_a_poll(heeds_the_end: bool) {
    loom::model(move || {
        let task = Model::new(State::queued());
        assert!(task.state.start());
        let waker = thread::spawn(move || {
            task.wakes.store(1, Relaxed);
            if task.state.notify() {
                task.bell.notify();
            }
        });
        loop {
            task.touch_stage();
            if task.wakes.load(Relaxed) == 1 {
                break;
            }
            let again = task.state.end_poll() == EndPoll::Again;
            if !(heeds_the_end && again) {
                task.bell.wait();
            }
            // A wait may end by itself; a poll more than was asked for is harmless.
            assert_eq!(task.state.begin_poll(), BeginPoll::Poll);
        }
        waker.join().unwrap();
    });
}

#[test]
fn loom_a_wake_during_a_poll_is_seen_at_its_end() {
    wake_against_the_end_of_a_poll(true);
}

#[test]
#[should_panic(expected = "deadlock")]
fn loom_catches_a_runner_that_forgets_the_wake_during_its_poll() {
    wake_against_the_end_of_a_poll(false);
}

/// The one that aborts a task which has started leaves its future to the task's own thread.
fn abort_during_a_poll(leaves_the_future: bool) {
    loom::model(move || {
        let task = Model::new(State::queued());
        assert!(task.state.start());
        let aborter = thread::spawn(move || {
            if task.state.abort() == Abort::Notify {
                task.bell.notify();
            }
            if !leaves_the_future {
                task.touch_stage();
            }
        });
        task.touch_stage();
        // Until the abort is found: at the end of a poll, or at the beginning of the next.
        while task.state.end_poll() == EndPoll::Idle {
            task.bell.wait();
            if task.state.begin_poll() == BeginPoll::Abort {
                break;
            }
        }
        task.touch_stage();
        task.complete();
        aborter.join().unwrap();
        assert!(task.state.is_over());
    });
}

#[test]
fn loom_an_abort_during_a_poll_ends_the_task_once() {
    abort_during_a_poll(true);
}

#[test]
#[should_panic]
fn loom_catches_an_abort_that_drops_a_future_that_runs() {
    abort_during_a_poll(false);
}

#[test]
fn loom_many_wakes_queue_a_task_once() {
    loom::model(|| {
        let task = Model::new(State::queued());
        assert!(task.state.start());
        assert_eq!(task.state.end_poll(), EndPoll::Idle);
        let queued = leak(AtomicUsize::new(0));
        let wakers = [(); 2].map(|()| {
            thread::spawn(move || {
                if task.state.notify() {
                    queued.fetch_add(1, SeqCst);
                }
            })
        });
        wakers.into_iter().for_each(|waker| waker.join().unwrap());
        assert_eq!(queued.load(SeqCst), 1);
    });
}

#[test]
fn loom_a_blocking_closure_ends_or_is_given_up() {
    loom::model(|| {
        let task = Model::new(State::queued());
        assert!(task.state.start());
        let closure = thread::spawn(move || {
            task.touch_stage();
            let ended = task.state.complete(false);
            if !ended.joined {
                task.touch_stage();
            }
            ended.joined
        });
        let given_up = task.state.give_up().is_some();
        if !given_up {
            task.touch_stage();
        }
        assert_ne!(closure.join().unwrap(), given_up);
    });
}
