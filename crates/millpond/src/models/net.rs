//! A server's places: whoever waits for one, or for the last to be given back, is told.

use super::{Bell, leak};
use crate::{
    driver::Signal,
    net::room::{Freed, Room},
    shutdown::{Lifecycle, Phase},
};
use loom::{
    sync::atomic::{
        AtomicUsize,
        Ordering::{Relaxed, SeqCst},
        fence,
    },
    thread,
};

struct Model {
    room: Room,
    lifecycle: Lifecycle,
    alarm: Bell,
}

fn model(most: usize) -> &'static Model {
    model_of(Room::new(most, most, 1))
}

fn model_of(room: Room) -> &'static Model {
    leak(Model { room, lifecycle: Lifecycle::new(), alarm: Bell::new() })
}

impl Model {
    fn freed(&self, freed: Freed) {
        if freed.is_wanted || freed.was_last && self.lifecycle.phase() != Phase::Running {
            self.alarm.notify();
        }
    }

    /// As a server's thread does that has a connection to accept.
    fn take(&self) {
        while self.room.take(|| self.room.on(0).map(|_| 0), |freed| self.freed(freed)).is_none() {
            self.alarm.wait();
        }
    }

    fn give_back(&self) {
        self.freed(self.room.give_back_on(0));
    }
}

#[test]
fn loom_whoever_finds_no_place_is_told_of_one_that_is_given_back() {
    loom::model(|| {
        let model = model(1);
        model.take();
        let leaves = thread::spawn(|| model.give_back());
        model.take();
        leaves.join().unwrap();
    });
}

#[test]
fn loom_whoever_finds_no_place_is_told_of_one_that_a_handoff_leaves() {
    loom::model(|| {
        // One a worker, and the other worker's is out of reach.
        let model = model_of(Room::new(3, 1, 2));
        model.take();
        let moves = thread::spawn(|| model.freed(model.room.change(0, 1)));
        model.take();
        moves.join().unwrap();
    });
}

#[test]
fn loom_places_never_exceed_their_limit() {
    loom::model(|| {
        let model = model(1);
        let open: &'static AtomicUsize = leak(AtomicUsize::new(0));
        let one = || {
            model.take();
            assert_eq!(open.fetch_add(1, SeqCst), 0);
            open.fetch_sub(1, SeqCst);
            model.give_back();
        };
        let other = thread::spawn(one);
        one();
        other.join().unwrap();
    });
}

#[test]
fn loom_the_end_of_a_server_is_told_of_the_last_place() {
    loom::model(|| {
        let model = model(2);
        model.take();
        model.take();
        let leave = || model.give_back();
        let connections = [thread::spawn(leave), thread::spawn(leave)];
        model.lifecycle.drain(None);
        while !model.room.is_empty_at_the_end() {
            model.alarm.wait();
        }
        connections.into_iter().for_each(|connection| connection.join().unwrap());
    });
}

/// The wish and the place, without the fence between the two on the side that gives back.
#[test]
#[should_panic]
fn loom_catches_a_place_given_back_without_a_fence() {
    loom::model(|| {
        let taken: &'static AtomicUsize = leak(AtomicUsize::new(1));
        let wanted: &'static AtomicUsize = leak(AtomicUsize::new(0));
        let alarm: &'static Bell = leak(Bell::new());
        thread::spawn(|| {
            taken.store(0, Relaxed);
            if wanted.load(Relaxed) == 1 {
                alarm.notify();
            }
        });
        wanted.store(1, Relaxed);
        fence(SeqCst);
        if taken.load(Relaxed) == 1 {
            alarm.wait();
        }
    });
}
