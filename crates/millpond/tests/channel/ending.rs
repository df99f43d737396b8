//! The end of a channel, from either side.

use crate::{common::poll_once, flavours::over_every_flavour};
use futures_lite::StreamExt;
use millpond::channel::{SendError, TryRecvError, TrySendError};
use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
};

#[test]
fn a_closed_channel_gives_what_it_still_holds_and_then_ends() {
    over_every_flavour("a_closed_channel_gives_what_it_still_holds_and_then_ends", |flavour| {
        let (to, from) = flavour.channel();
        to.try_send(1).unwrap();
        assert!(!to.is_closed() && !from.is_closed());
        to.close();
        assert!(to.is_closed() && from.is_closed());
        assert_eq!(to.try_send(2), Err(TrySendError::Closed(2)));
        assert_eq!(poll_once(to.send(2)), Poll::Ready(Err(SendError(2))));
        assert_eq!(to.send_blocking(2), Err(SendError(2)));
        assert_eq!(poll_once(from.recv()), Poll::Ready(Some(1)));
        assert_eq!(poll_once(from.recv()), Poll::Ready(None));
        assert_eq!(poll_once(from.recv_many(&mut Vec::new(), 5)), Poll::Ready(0));
        assert_eq!(from.try_recv(), Err(TryRecvError::Closed));
        assert_eq!(from.recv_blocking(), None);
        assert_eq!(poll_once(from.clone().next()), Poll::Ready(None));
    });
}

#[test]
fn the_last_sender_closes_and_wakes_every_receiver() {
    over_every_flavour("the_last_sender_closes_and_wakes_every_receiver", |flavour| {
        let pool = crate::common::pool(2);
        let (to, from) = flavour.channel::<u32>();
        let second = to.clone();
        let jobs: Vec<_> = (0..4)
            .map(|_| {
                let from = from.clone();
                pool.spawn(move || async move { from.recv().await })
            })
            .collect();
        let thread = thread::spawn(move || from.recv_blocking());
        drop(to);
        second.try_send(1).unwrap();
        drop(second);
        let mut received: Vec<_> = jobs.into_iter().map(|job| job.join().unwrap()).collect();
        received.push(thread.join().unwrap());
        assert_eq!(received.iter().flatten().count(), 1);
    });
}

#[test]
fn the_last_receiver_drops_what_is_queued_at_once() {
    over_every_flavour("the_last_receiver_drops_what_is_queued_at_once", |flavour| {
        let alive = Arc::new(());
        let (to, from) = flavour.channel();
        let held = flavour.room_for(3000);
        (0..held).for_each(|_| to.try_send(Arc::clone(&alive)).unwrap());
        let second = from.clone();
        drop(from);
        assert_eq!(Arc::strong_count(&alive), held + 1);
        assert!(!to.is_closed());
        // One comes out first, so that both halves of the channel hold some.
        drop(second.try_recv().unwrap());
        to.try_send(Arc::clone(&alive)).unwrap();
        drop(second);
        assert_eq!(Arc::strong_count(&alive), 1);
        assert!(to.is_closed() && to.is_empty());
        assert_eq!(to.len(), 0);
        assert!(matches!(to.try_send(Arc::clone(&alive)), Err(TrySendError::Closed(_))));
    });
}

#[test]
fn senders_that_wait_get_their_message_back_at_the_end() {
    over_every_flavour("senders_that_wait_get_their_message_back_at_the_end", |flavour| {
        let Some(capacity) = flavour.0 else { return };
        for ends_by_drop in [true, false] {
            let (to, from) = flavour.channel();
            (0..capacity).for_each(|_| to.try_send(String::new()).unwrap());
            let mut waiting = pin!(to.send("back".to_owned()));
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            thread::scope(|scope| {
                let blocked = scope.spawn(|| to.send_blocking("blocked".to_owned()));
                if ends_by_drop {
                    drop(from);
                } else {
                    from.close();
                }
                assert_eq!(poll_once(waiting), Poll::Ready(Err(SendError("back".to_owned()))));
                assert_eq!(blocked.join().unwrap().unwrap_err().into_inner(), "blocked");
            });
        }
    });
}

#[test]
fn a_dropped_message_may_panic_and_send_again() {
    struct Rude(u32, millpond::channel::Sender<Rude>);
    impl Drop for Rude {
        fn drop(&mut self) {
            // Closed by now: given back, and dropped here with its number gone.
            if self.0 > 0 {
                let again = self.1.try_send(Rude(0, self.1.clone()));
                assert!(matches!(again, Err(TrySendError::Closed(_))));
                std::panic::resume_unwind(Box::new(()));
            }
        }
    }
    over_every_flavour("a_dropped_message_may_panic_and_send_again", |flavour| {
        let (to, from) = flavour.channel();
        let held = flavour.room_for(3000);
        (0..held).for_each(|_| assert!(to.try_send(Rude(1, to.clone())).is_ok()));
        drop(from);
        assert_eq!(to.len(), 0);
    });
}

#[test]
#[should_panic(
    expected = "channel::bounded(0): a channel of capacity 0 would never take a message; give it at least 1"
)]
fn a_capacity_of_0_is_refused_with_the_value_and_the_way_out() {
    millpond::channel::bounded::<()>(0);
}

#[test]
fn errors_and_ends_say_what_they_are() {
    let (to, from) = millpond::channel::bounded(1);
    assert_eq!(format!("{to:?}"), "Sender { len: 0, capacity: Some(1), closed: false }");
    assert_eq!(
        from.try_recv().unwrap_err().to_string(),
        "the channel is empty; try later, or wait with recv"
    );
    to.try_send(()).unwrap();
    let full = to.try_send(()).unwrap_err();
    assert_eq!(format!("{full:?}"), "Full(..)");
    assert!(full.to_string().contains("try later, wait with send"), "{full}");
    drop(from);
    assert_eq!(
        to.send_blocking(()).unwrap_err().to_string(),
        "the channel is closed and takes no more messages"
    );
}
