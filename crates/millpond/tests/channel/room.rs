//! Senders that wait for room.

use crate::common::{poll_once, unhung};
use millpond::channel::{Sender, bounded};
use std::{
    pin::{Pin, pin},
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    task::{Context, Poll, Waker},
    thread,
};

fn poll<F: Future>(future: &mut Pin<&mut F>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn senders_that_wait_are_served_in_order_and_nobody_gets_in_before_them() {
    unhung("senders_that_wait_are_served_in_order_and_nobody_gets_in_before_them", || {
        let (to, from) = bounded(2);
        to.try_send(1).unwrap();
        to.try_send(2).unwrap();
        let (mut third, mut fourth) = (pin!(to.send(3)), pin!(to.send(4)));
        assert!(poll(&mut third).is_pending() && poll(&mut fourth).is_pending());
        // The place goes to the one that has waited longest, polled again or not.
        assert_eq!(from.try_recv(), Ok(1));
        assert!(to.try_send(5).unwrap_err().is_full());
        assert!(poll(&mut fourth).is_pending());
        assert_eq!(poll(&mut third), Poll::Ready(Ok(())));
        assert_eq!(from.len(), 2);
        assert_eq!([2, 3, 4].map(|_| from.try_recv().unwrap()), [2, 3, 4]);
        assert_eq!(poll(&mut fourth), Poll::Ready(Ok(())));
    });
}

#[test]
fn a_batch_makes_room_for_as_many_senders() {
    unhung("a_batch_makes_room_for_as_many_senders", || {
        let (to, from) = bounded(3);
        (0..3).for_each(|number| to.try_send(number).unwrap());
        let mut waiting: Vec<_> = (3..8).map(|number| Box::pin(to.send(number))).collect();
        assert!(waiting.iter_mut().all(|send| poll(&mut send.as_mut()).is_pending()));
        assert_eq!(poll_once(from.recv_many(&mut Vec::new(), 2)), Poll::Ready(2));
        let sent = waiting.iter_mut().map(|send| poll(&mut send.as_mut()).is_ready());
        assert!(sent.eq([true, true, false, false, false]));
        assert_eq!(from.len(), 3);
    });
}

#[test]
fn the_capacity_is_exact_at_every_instant() {
    unhung("the_capacity_is_exact_at_every_instant", || {
        const CAPACITY: usize = 5;
        const PRODUCERS: usize = 8;
        const EACH: usize = 2_000;
        let (to, from) = bounded(CAPACITY);
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let send = |to: Sender<usize>| move || (0..EACH).for_each(|n| to.send_blocking(n).unwrap());
            (0..PRODUCERS).for_each(|_| drop(scope.spawn(send(to.clone()))));
            scope.spawn(|| {
                while !done.load(Relaxed) {
                    assert!(from.len() <= CAPACITY);
                }
            });
            let mut most = 0;
            for _ in 0..PRODUCERS * EACH {
                most = most.max(from.len());
                from.recv_blocking().unwrap();
            }
            done.store(true, Relaxed);
            assert!((1..=CAPACITY).contains(&most));
        });
        assert_eq!(from.len(), 0);
    });
}

#[test]
fn a_send_that_waits_alone_is_woken_by_the_first_room() {
    unhung("a_send_that_waits_alone_is_woken_by_the_first_room", || {
        let (to, from) = bounded(1024);
        (0..1024).for_each(|number| to.try_send(number).unwrap());
        thread::scope(|scope| {
            let blocked = scope.spawn(|| to.send_blocking(1024));
            // One place, and no more to come until the send has ended.
            assert_eq!(from.try_recv(), Ok(0));
            blocked.join().unwrap().unwrap();
        });
        assert_eq!(from.len(), 1024);
    });
}
