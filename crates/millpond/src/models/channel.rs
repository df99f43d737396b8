//! The channel: what is sent finds a receiver, whoever goes to wait in the same moment, and whatever its loop does.

use super::{
    bounded,
    hints::NO_TASK,
    receivers::{Receivers, Spot},
    unbounded,
};
use crate::{
    models::{Bell, leak},
    remote::Remote,
};
use loom::thread;
use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

struct Ring(Bell);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        crate::driver::Signal::notify(&self.0);
    }
}

/// As a plain thread does it.
fn block_on<F: Future>(future: F) -> F::Output {
    let ring = Arc::new(Ring(Bell::new()));
    let waker = Waker::from(Arc::clone(&ring));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => ring.0.wait(),
        }
    }
}

/// Three threads have more orders than can be run.
fn bounded_model() -> loom::model::Builder {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model
}

#[test]
fn loom_a_message_is_not_lost_on_a_receiver_that_goes_to_wait() {
    loom::model(|| {
        let (to, from) = unbounded();
        let sender = thread::spawn(move || to.try_send(7).unwrap());
        assert_eq!(block_on(from.recv()), Some(7));
        sender.join().unwrap();
        assert_eq!(block_on(from.recv()), None);
    });
}

#[test]
fn loom_the_close_ends_a_receive_that_goes_to_wait() {
    loom::model(|| {
        let (to, from) = unbounded::<()>();
        let closing = thread::spawn(move || drop(to));
        assert_eq!(block_on(from.recv()), None);
        closing.join().unwrap();
    });
}

#[test]
fn loom_a_sender_that_waits_for_room_is_woken_by_it() {
    loom::model(|| {
        let (to, from) = bounded(1);
        to.try_send(1).unwrap();
        let sender = thread::spawn(move || block_on(to.send(2)).unwrap());
        assert_eq!(from.try_recv(), Ok(1));
        assert_eq!(block_on(from.recv()), Some(2));
        sender.join().unwrap();
    });
}

#[test]
fn loom_a_sender_that_waits_for_room_is_woken_by_the_close() {
    loom::model(|| {
        let (to, from) = bounded(1);
        to.try_send(1).unwrap();
        let closing = thread::spawn(move || drop(from));
        let sent = block_on(to.send(2));
        closing.join().unwrap();
        assert_eq!(sent.unwrap_err().into_inner(), 2);
    });
}

/// One receiver begins to wait and is dropped, woken or not. What it has not taken is the other's.
#[test]
fn loom_a_receive_that_is_dropped_leaves_the_message_to_the_other() {
    bounded_model().check(|| {
        let (to, from) = unbounded();
        let dropped = from.clone();
        let dropping = thread::spawn(move || {
            let mut receive = pin!(dropped.recv());
            receive.as_mut().poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(Some(1))
        });
        let sending = thread::spawn(move || to.try_send(1).unwrap());
        let received = block_on(from.recv());
        let taken = dropping.join().unwrap();
        sending.join().unwrap();
        assert_eq!(received, (!taken).then_some(1));
    });
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

struct Loop {
    receivers: Arc<Receivers>,
    remote: Arc<Remote>,
    other: Arc<Count>,
}

const SOMETHING_ELSE: usize = 8;

/// A receiver waits on a loop that sleeps, and another one on a thread. A message comes, while the loop gets up by itself
/// to compute for ever: then the other must be woken.
fn chosen_loop_computes(get_up: fn(&Remote)) {
    loom::model(move || {
        let remote = Arc::new(Remote::new(None, std::sync::Arc::new(Bell::new())));
        let model = leak(Loop { receivers: Arc::new(Receivers::new()), remote, other: Arc::default() });
        let (mut first, mut second) = (None, None);
        let waker = Waker::from(Arc::clone(&model.other));
        drop(model.receivers.wait(&mut first, waker, Spot::Thread));
        let spot = Spot::Loop { remote: Arc::clone(&model.remote), in_task: true };
        drop(model.receivers.wait(&mut second, Waker::noop().clone(), spot));
        model.remote.seat.announce();
        let computes = thread::spawn(move || get_up(&model.remote));
        model.receivers.rouse();
        computes.join().unwrap();
        assert_eq!(model.other.0.load(SeqCst), 1);
    });
}

#[test]
fn loom_a_message_does_not_wait_behind_the_loop_that_was_chosen_for_it() {
    chosen_loop_computes(|remote| {
        remote.seat.get_up();
        remote.hints.pass_on_but(SOMETHING_ELSE);
    });
}

#[test]
#[should_panic(expected = "left: 0")]
fn loom_catches_a_loop_that_looks_for_hints_before_it_gets_up() {
    chosen_loop_computes(|remote| {
        remote.hints.pass_on_but(NO_TASK);
        remote.seat.get_up();
    });
}
