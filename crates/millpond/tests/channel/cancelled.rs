//! Futures that are dropped before their end.

use crate::{common::unhung, flavours::over_every_flavour};
use futures_lite::StreamExt;
use millpond::channel::bounded;
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

/// Counts its wakes.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn counted() -> (Arc<Count>, Waker) {
    let count = Arc::new(Count::default());
    (Arc::clone(&count), Waker::from(count))
}

#[test]
fn a_woken_receive_that_is_dropped_passes_its_wake_on() {
    over_every_flavour("a_woken_receive_that_is_dropped_passes_its_wake_on", |flavour| {
        let (to, from) = flavour.channel();
        let mut stream = from.clone();
        let mut many_buf = Vec::new();
        let counts = [(); 4].map(|()| counted());
        let woken = || [0, 1, 2, 3].map(|i| counts[i].0.0.load(SeqCst));
        let mut contexts = [0, 1, 2, 3].map(|i| Context::from_waker(&counts[i].1));
        let mut first = Box::pin(from.recv());
        let mut second = Box::pin(from.recv_many(&mut many_buf, 4));
        let mut fourth = pin!(from.recv());
        assert!(first.as_mut().poll(&mut contexts[0]).is_pending());
        assert!(second.as_mut().poll(&mut contexts[1]).is_pending());
        assert!(stream.poll_next(&mut contexts[2]).is_pending());
        assert!(fourth.as_mut().poll(&mut contexts[3]).is_pending());
        to.try_send(7).unwrap();
        assert_eq!(woken(), [1, 0, 0, 0]);
        drop(first);
        assert_eq!(woken(), [1, 1, 0, 0]);
        drop(second);
        assert_eq!(woken(), [1, 1, 1, 0]);
        drop(stream);
        assert_eq!(woken(), [1, 1, 1, 1]);
        assert_eq!(fourth.as_mut().poll(&mut contexts[3]), Poll::Ready(Some(7)));
    });
}

#[test]
fn a_receive_that_is_dropped_unwoken_is_not_woken_in_place_of_another() {
    over_every_flavour("a_receive_that_is_dropped_unwoken_is_not_woken_in_place_of_another", |flavour| {
        let (to, from) = flavour.channel();
        let [(first_count, first_waker), (second_count, second_waker)] = [(); 2].map(|()| counted());
        let mut first = Box::pin(from.recv());
        let mut second = pin!(from.recv());
        assert!(first.as_mut().poll(&mut Context::from_waker(&first_waker)).is_pending());
        assert!(second.as_mut().poll(&mut Context::from_waker(&second_waker)).is_pending());
        drop(first);
        to.try_send(7).unwrap();
        assert_eq!((first_count.0.load(SeqCst), second_count.0.load(SeqCst)), (0, 1));
    });
}

/// A receive that was polled again, by another task perhaps, wakes the last waker it was given.
#[test]
fn the_last_waker_is_the_one_that_is_woken() {
    over_every_flavour("the_last_waker_is_the_one_that_is_woken", |flavour| {
        let (to, from) = flavour.channel();
        let [(first_count, first_waker), (second_count, second_waker)] = [(); 2].map(|()| counted());
        let mut receive = pin!(from.recv());
        assert!(receive.as_mut().poll(&mut Context::from_waker(&first_waker)).is_pending());
        assert!(receive.as_mut().poll(&mut Context::from_waker(&second_waker)).is_pending());
        to.try_send(7).unwrap();
        assert_eq!((first_count.0.load(SeqCst), second_count.0.load(SeqCst)), (0, 1));
    });
}

#[test]
fn a_receiver_that_leaves_messages_wakes_another_for_them() {
    over_every_flavour("a_receiver_that_leaves_messages_wakes_another_for_them", |flavour| {
        let pool = crate::common::pool(1);
        let (to, from) = flavour.channel();
        // All of them wait on the one worker when the first message comes, and each takes one.
        let jobs: Vec<_> = (0..6)
            .map(|_| {
                let from = from.clone();
                pool.spawn(move || async move { from.recv().await.unwrap() })
            })
            .collect();
        pool.spawn(|| async {}).join().unwrap();
        (0..6).for_each(|number| to.send_blocking(number).unwrap());
        let mut received: Vec<i32> = jobs.into_iter().map(|job| job.join().unwrap()).collect();
        received.sort_unstable();
        assert_eq!(received, [0, 1, 2, 3, 4, 5]);
    });
}

#[test]
fn a_send_that_is_dropped_while_it_waits_sends_nothing_and_gives_up_its_turn() {
    unhung("a_send_that_is_dropped_while_it_waits_sends_nothing_and_gives_up_its_turn", || {
        let alive = Arc::new(());
        let (to, from) = bounded(1);
        to.try_send((0, Arc::clone(&alive))).unwrap();
        let mut first = Box::pin(to.send((1, Arc::clone(&alive))));
        let mut second = pin!(to.send((2, Arc::clone(&alive))));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(first.as_mut().poll(&mut cx).is_pending());
        assert!(second.as_mut().poll(&mut cx).is_pending());
        drop(first);
        assert_eq!(Arc::strong_count(&alive), 3);
        assert_eq!(from.try_recv().unwrap().0, 0);
        assert_eq!(second.as_mut().poll(&mut cx), Poll::Ready(Ok(())));
        assert_eq!(from.try_recv().unwrap().0, 2);
    });
}

#[test]
fn jobs_that_are_aborted_while_they_receive_lose_no_message() {
    over_every_flavour("jobs_that_are_aborted_while_they_receive_lose_no_message", |flavour| {
        const MESSAGES: usize = 500;
        let pool = crate::common::pool(2);
        let (to, from) = flavour.channel();
        let received = Arc::new(AtomicUsize::new(0));
        let receive = || {
            let (from, received) = (from.clone(), Arc::clone(&received));
            pool.spawn(move || async move {
                // Counted in the same poll that takes it: no abort comes between.
                while from.recv().await.is_some() {
                    received.fetch_add(1, SeqCst);
                }
            })
        };
        let stays = receive();
        for number in 0..MESSAGES {
            let aborted = receive();
            to.send_blocking(number).unwrap();
            aborted.abort();
        }
        drop(to);
        stays.join().unwrap();
        pool.shutdown_blocking();
        assert_eq!(received.load(SeqCst), MESSAGES);
    });
}
