//! Receivers on a pool's workers get work only when they can run it.

use crate::{
    common::{hold, pool, unhung},
    flavours::over_every_flavour,
    proc::ThreadId,
};
use millpond::{
    Pool,
    channel::{Receiver, Sender, bounded, unbounded},
};
use std::{
    future::pending,
    sync::{Arc, Barrier, mpsc},
};

/// A receiver on one worker that says who has received what.
fn receive_on(pool: &Pool, worker: usize, from: &Receiver<u32>, seen: &mpsc::Sender<(usize, u32)>) {
    let (from, seen) = (from.clone(), seen.clone());
    let job = move || async move {
        while let Some(message) = from.recv().await {
            seen.send((worker, message)).unwrap();
        }
    };
    drop(pool.spawn_on(pool.workers()[worker], job).unwrap());
}

/// Returns once all that was sent to the workers has been polled, and each of them is asleep.
fn settle(pool: &Pool) -> Vec<ThreadId> {
    let workers = pool.workers().iter();
    let ask = |worker| pool.spawn_on(worker, || async { ThreadId::current() }).unwrap().join().unwrap();
    let threads: Vec<ThreadId> = workers.map(|worker| ask(*worker)).collect();
    await_sleep(&threads);
    threads
}

fn await_sleep(threads: &[ThreadId]) {
    while !threads.iter().all(|thread| thread.is_asleep()) {
        std::thread::yield_now();
    }
}

#[test]
fn a_message_does_not_wait_behind_a_busy_worker_while_another_is_idle() {
    over_every_flavour("a_message_does_not_wait_behind_a_busy_worker_while_another_is_idle", |flavour| {
        let pool = pool(2);
        let (to, from) = flavour.channel();
        let (seen, is_seen) = mpsc::channel();
        // Whichever began to wait last.
        for order in [[0, 1], [1, 0]] {
            for busy in [0, 1] {
                order.iter().for_each(|&worker| receive_on(&pool, worker, &from, &seen));
                settle(&pool);
                let held = hold(&pool, busy);
                for message in 0..20 {
                    to.send_blocking(message).unwrap();
                    assert_eq!(is_seen.recv().unwrap(), (1 - busy, message));
                }
                drop(held);
                settle(&pool);
            }
        }
    });
}

/// The busy worker begins to compute at the very moment that the message is sent, in every order that the threads hit on.
/// Its receiver may get the message only if it does so before the worker is held.
#[test]
fn a_message_sent_at_the_worst_moment_does_not_wait_behind_a_busy_worker() {
    const ROUNDS: u32 = 3_000;
    unhung("a_message_sent_at_the_worst_moment_does_not_wait_behind_a_busy_worker", || {
        let pool = pool(2);
        let (to, from) = unbounded();
        let (seen, is_seen) = mpsc::channel();
        (0..2).for_each(|worker| receive_on(&pool, worker, &from, &seen));
        settle(&pool);
        let start = Arc::new(Barrier::new(2));
        std::thread::scope(|scope| {
            let (rounds, to_hold) = mpsc::channel::<(u32, mpsc::Receiver<()>)>();
            let (pool, both) = (&pool, Arc::clone(&start));
            scope.spawn(move || {
                // Ended by the drop of the sender, after the last round.
                for (round, gate) in to_hold {
                    both.wait();
                    (0..round % 50).for_each(|_| std::hint::spin_loop());
                    let worker = pool.workers()[round as usize % 2];
                    drop(
                        pool.spawn_on(worker, move || async move {
                            let _ = gate.recv();
                        })
                        .unwrap(),
                    );
                }
            });
            for round in 0..ROUNDS {
                let (release, gate) = mpsc::channel();
                rounds.send((round, gate)).unwrap();
                start.wait();
                (0..round % 47).for_each(|_| std::hint::spin_loop());
                to.try_send(round).unwrap();
                // Comes while one worker is held, or is about to be: nothing releases it before this.
                assert_eq!(is_seen.recv().unwrap().1, round);
                drop(release);
            }
        });
    });
}

/// A worker is woken for a message, and has by then got a job of its own that it starts first, and that computes.
#[test]
fn a_message_is_passed_on_when_its_worker_does_something_else_first() {
    const ROUNDS: usize = 500;
    unhung("a_message_is_passed_on_when_its_worker_does_something_else_first", || {
        let pool = pool(2);
        let (to, from) = unbounded();
        let (seen, is_seen) = mpsc::channel();
        for round in 0..ROUNDS {
            // The last to wait is the first to be chosen: it is on the worker that will be held.
            let worker = round % 2;
            receive_on(&pool, 1 - worker, &from, &seen);
            settle(&pool);
            receive_on(&pool, worker, &from, &seen);
            // Its last work is a woken task, so a new job has the next turn.
            let (wake, woken) = tokio::sync::oneshot::channel::<()>();
            let job = pool.spawn_on(pool.workers()[worker], || woken).unwrap();
            let threads = settle(&pool);
            wake.send(()).unwrap();
            job.join().unwrap().unwrap();
            await_sleep(&threads);
            let (release, gate) = mpsc::channel::<()>();
            let held = move || async move {
                let _ = gate.recv();
            };
            to.try_send(7).unwrap();
            drop(pool.spawn_on(pool.workers()[worker], held).unwrap());
            assert_eq!(is_seen.recv().unwrap().1, 7);
            drop(release);
            settle(&pool);
        }
    });
}

/// All workers compute: whichever is free first takes the message.
#[test]
fn the_worker_that_is_free_first_takes_a_message_that_came_while_all_were_busy() {
    unhung("the_worker_that_is_free_first_takes_a_message_that_came_while_all_were_busy", || {
        let pool = pool(2);
        let (to, from) = bounded(4);
        let (seen, is_seen) = mpsc::channel();
        (0..2).for_each(|worker| receive_on(&pool, worker, &from, &seen));
        for first in (0..40).map(|round| round % 2) {
            settle(&pool);
            let mut held = [Some(hold(&pool, 0)), Some(hold(&pool, 1))];
            to.try_send(1).unwrap();
            to.try_send(2).unwrap();
            held[first] = None;
            assert_eq!(is_seen.recv().unwrap(), (first, 1));
            assert_eq!(is_seen.recv().unwrap(), (first, 2));
            drop(held);
        }
    });
}

/// A receiver that was woken and is kept without being polled again keeps the messages from nobody.
#[test]
fn a_receive_that_is_kept_and_not_polled_does_not_hold_up_the_others() {
    unhung("a_receive_that_is_kept_and_not_polled_does_not_hold_up_the_others", || {
        let pool = pool(2);
        let (to, from): (Sender<u32>, _) = unbounded();
        let (seen, is_seen) = mpsc::channel();
        receive_on(&pool, 0, &from, &seen);
        settle(&pool);
        let kept = from.clone();
        let keeps = move || async move {
            let mut receive = Box::pin(kept.recv());
            // Polled once, and kept over an await that never ends.
            std::future::poll_fn(|cx| std::task::Poll::Ready(receive.as_mut().poll(cx).is_pending())).await;
            pending::<()>().await;
            drop(receive);
        };
        drop(pool.spawn_on(pool.workers()[1], keeps).unwrap());
        settle(&pool);
        for message in 0..10 {
            to.try_send(message).unwrap();
            assert_eq!(is_seen.recv().unwrap(), (0, message));
        }
    });
}
