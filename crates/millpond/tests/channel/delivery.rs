//! Each message to exactly one receiver, in order, whoever sends and receives.

use crate::{
    common::{poll_once, pool},
    flavours::{Flavour, over_every_flavour},
};
use futures_lite::{StreamExt, future::block_on};
use millpond::channel::{Receiver, Sender, TryRecvError, TrySendError};
use std::{pin::pin, task::Poll, thread};

const SENDERS: u64 = 4;
const RECEIVERS: usize = 4;
/// From each sender. Some thousand fill several blocks, and make the small channels wait often.
const MESSAGES: u64 = 5_000;

/// Which sender, and its number there.
type Message = (u64, u64);

/// Every message is there once, and each receiver got each sender's in order.
fn assert_exactly_once(received: Vec<Vec<Message>>) {
    for one in &received {
        for sender in 0..SENDERS {
            let numbers: Vec<u64> = one.iter().filter(|(from, _)| *from == sender).map(|(_, n)| *n).collect();
            assert!(numbers.is_sorted_by(|a, b| a < b), "the messages of one sender came out of order");
        }
    }
    let mut all: Vec<Message> = received.into_iter().flatten().collect();
    all.sort_unstable();
    let sent = (0..SENDERS).flat_map(|sender| (0..MESSAGES).map(move |number| (sender, number)));
    assert!(all.into_iter().eq(sent), "a message was lost or doubled");
}

async fn send_all(sender: u64, to: Sender<Message>) {
    for number in 0..MESSAGES {
        to.send((sender, number)).await.unwrap();
    }
}

/// Receives in every way there is, by turns.
async fn receive_all(mut from: Receiver<Message>) -> Vec<Message> {
    let mut received = Vec::new();
    for way in 0.. {
        let before = received.len();
        match way % 4 {
            0 => received.extend(from.recv().await),
            1 => assert_eq!(from.recv_many(&mut received, 7).await, received.len() - before),
            2 => received.extend(from.next().await),
            _ => match from.try_recv() {
                Ok(message) => received.push(message),
                Err(TryRecvError::Empty) => continue,
                Err(TryRecvError::Closed) => {}
            },
        }
        if received.len() == before {
            break;
        }
    }
    assert_eq!(from.recv().await, None);
    received
}

#[test]
fn each_message_goes_to_exactly_one_receiver_on_the_workers_of_a_pool() {
    over_every_flavour("each_message_goes_to_exactly_one_receiver_on_the_workers_of_a_pool", |flavour| {
        let pool = pool(3);
        let (to, from) = flavour.channel();
        let receivers: Vec<_> = (0..RECEIVERS)
            .map(|_| {
                let from = from.clone();
                pool.spawn(move || receive_all(from))
            })
            .collect();
        for sender in 0..SENDERS {
            let to = to.clone();
            drop(pool.spawn(move || send_all(sender, to)));
        }
        drop((to, from));
        assert_exactly_once(receivers.into_iter().map(|receiver| receiver.join().unwrap()).collect());
    });
}

#[test]
fn each_message_goes_to_exactly_one_receiver_on_plain_threads() {
    over_every_flavour("each_message_goes_to_exactly_one_receiver_on_plain_threads", |flavour| {
        let (to, from) = flavour.channel();
        let receivers: Vec<_> = (0..RECEIVERS)
            .map(|_| {
                let from = from.clone();
                thread::spawn(move || std::iter::from_fn(|| from.recv_blocking()).collect())
            })
            .collect();
        for sender in 0..SENDERS {
            let to = to.clone();
            thread::spawn(move || {
                (0..MESSAGES).for_each(|number| to.send_blocking((sender, number)).unwrap());
            });
        }
        drop((to, from));
        assert_exactly_once(receivers.into_iter().map(|receiver| receiver.join().unwrap()).collect());
    });
}

#[test]
fn each_message_goes_to_exactly_one_receiver_on_tokio_and_a_pool_at_once() {
    over_every_flavour("each_message_goes_to_exactly_one_receiver_on_tokio_and_a_pool_at_once", |flavour| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let pool = pool(2);
        let (to, from) = flavour.channel();
        let here: Vec<_> = (0..RECEIVERS / 2)
            .map(|_| {
                let from = from.clone();
                pool.spawn(move || receive_all(from))
            })
            .collect();
        let there: Vec<_> = (0..RECEIVERS / 2).map(|_| runtime.spawn(receive_all(from.clone()))).collect();
        for sender in 0..SENDERS {
            let to = to.clone();
            if sender % 2 == 0 {
                runtime.spawn(send_all(sender, to));
            } else {
                drop(pool.spawn(move || send_all(sender, to)));
            }
        }
        drop((to, from));
        let here = here.into_iter().map(|receiver| receiver.join().unwrap());
        let there = there.into_iter().map(|receiver| runtime.block_on(receiver).unwrap());
        assert_exactly_once(here.chain(there).collect());
    });
}

/// Every executor's waits are ended by a message that comes once it waits.
#[test]
fn a_receive_that_waits_is_woken_wherever_it_is_polled() {
    fn echo(flavour: Flavour, run: impl FnOnce(Receiver<u32>, Sender<u32>)) {
        let ((to, there), (back, from)) = (flavour.channel(), flavour.channel());
        thread::scope(|scope| {
            scope.spawn(move || {
                for number in 0..500 {
                    to.send_blocking(number).unwrap();
                    assert_eq!(from.recv_blocking(), Some(number));
                }
            });
            run(there, back);
        });
    }
    async fn answer(from: Receiver<u32>, back: Sender<u32>) {
        while let Some(number) = from.recv().await {
            back.send(number).await.unwrap();
        }
    }
    over_every_flavour("a_receive_that_waits_is_woken_wherever_it_is_polled", |flavour| {
        let pool = pool(1);
        echo(flavour, |from, back| pool.spawn(move || answer(from, back)).join().unwrap());
        echo(flavour, |from, back| pool.block_on(answer(from, back)));
        echo(flavour, |from, back| block_on(answer(from, back)));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        echo(flavour, |from, back| runtime.block_on(answer(from, back)));
        echo(flavour, |from, back| {
            while let Some(number) = from.recv_blocking() {
                back.send_blocking(number).unwrap();
            }
        });
    });
}

#[test]
fn messages_come_out_in_the_order_in_which_they_went_in() {
    // Enough for several blocks, and for taking up emptied ones again.
    over_every_flavour("messages_come_out_in_the_order_in_which_they_went_in", |flavour| {
        let (to, from) = flavour.channel();
        let (mut sent, mut received) = (0_u64, 0_u64);
        for round in 0..40_u64 {
            while sent < (round + 1) * 997 && to.try_send(sent).is_ok() {
                sent += 1;
            }
            while received < sent.saturating_sub(round * 31 % 500) {
                assert_eq!(from.try_recv(), Ok(received));
                received += 1;
            }
            assert_eq!(from.len() as u64, sent - received);
            assert_eq!(from.is_empty(), sent == received);
        }
    });
}

#[test]
fn recv_many_takes_no_more_than_max_and_no_more_than_its_share() {
    over_every_flavour("recv_many_takes_no_more_than_max_and_no_more_than_its_share", |flavour| {
        let (to, from) = flavour.channel();
        let held = flavour.room_for(100);
        (0..held).for_each(|number| to.try_send(number).unwrap());
        let mut buf = vec![777];
        assert_eq!(poll_once(from.recv_many(&mut buf, 0)), Poll::Ready(0));
        assert_eq!(poll_once(from.recv_many(&mut buf, 3)), Poll::Ready(held.min(3)));
        assert_eq!(buf[0], 777);
        let left = held - held.min(3);
        let other = from.clone();
        if left > 0 {
            assert_eq!(poll_once(from.recv_many(&mut buf, 1000)), Poll::Ready(left.div_ceil(2)));
        }
        drop(other);
        if left > 1 {
            assert_eq!(poll_once(from.recv_many(&mut buf, 1000)), Poll::Ready(left / 2));
        }
        assert!(buf[1..].iter().copied().eq(0..held));
        assert_eq!(poll_once(from.recv_many(&mut buf, 1)), Poll::Pending);
        drop(to);
        assert_eq!(poll_once(from.recv_many(&mut buf, 1)), Poll::Ready(0));
        assert_eq!(buf.len(), held + 1);
    });
}

#[test]
fn one_sender_fills_it_to_its_capacity_and_no_further() {
    over_every_flavour("one_sender_fills_it_to_its_capacity_and_no_further", |flavour| {
        let (to, from) = flavour.channel();
        assert_eq!((to.capacity(), from.capacity()), (flavour.0, flavour.0));
        let held = flavour.room_for(3000);
        for number in 0..held {
            assert_eq!(to.len(), number);
            to.try_send(number).unwrap();
        }
        if flavour.0.is_some() {
            assert_eq!(to.try_send(held), Err(TrySendError::Full(held)));
            assert_eq!(poll_once(from.recv()), Poll::Ready(Some(0)));
            to.try_send(held).unwrap();
            assert!(to.try_send(held).unwrap_err().is_full());
        }
    });
}

#[test]
fn a_stream_gives_each_message_and_then_its_end() {
    over_every_flavour("a_stream_gives_each_message_and_then_its_end", |flavour| {
        let (to, from) = flavour.channel();
        let sending = thread::spawn(move || (0..3000).for_each(|number| to.send_blocking(number).unwrap()));
        let mut stream = pin!(from);
        for number in 0..3000 {
            assert_eq!(block_on(stream.next()), Some(number));
        }
        assert_eq!(block_on(stream.next()), None);
        assert_eq!(block_on(stream.next()), None);
        sending.join().unwrap();
    });
}

#[test]
fn messages_of_no_size_and_of_great_size_pass() {
    over_every_flavour("messages_of_no_size_and_of_great_size_pass", |flavour| {
        let ((to, from), (big_to, big_from)) = (flavour.channel(), flavour.channel());
        thread::scope(|scope| {
            scope.spawn(move || (0..3000).for_each(|_| to.send_blocking(()).unwrap()));
            scope.spawn(move || (0..300).for_each(|n| big_to.send_blocking([n; 4096]).unwrap()));
            assert_eq!(std::iter::from_fn(|| from.recv_blocking()).count(), 3000);
            let big = std::iter::from_fn(|| big_from.recv_blocking());
            assert!(big.enumerate().all(|(number, message)| message == [number; 4096]));
        });
    });
}
