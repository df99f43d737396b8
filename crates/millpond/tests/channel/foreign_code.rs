//! Wakers that do what they please.

use crate::flavours::over_every_flavour;
use millpond::channel::Sender;
use std::{
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        std::panic::resume_unwind(Box::new(()));
    }
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    over_every_flavour("a_waker_that_panics_harms_nobody", |flavour| {
        let waker = Waker::from(Arc::new(Panics));
        let (to, from) = flavour.channel();
        let mut receive = pin!(from.recv());
        assert!(receive.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        to.try_send(1).unwrap();
        assert_eq!(receive.as_mut().poll(&mut Context::from_waker(&waker)), Poll::Ready(Some(1)));
        let mut sends: Vec<_> = (0..flavour.room_for(2000) + 1).map(|n| Box::pin(to.send(n))).collect();
        for send in &mut sends {
            let _ = send.as_mut().poll(&mut Context::from_waker(&waker));
        }
        assert_eq!(from.try_recv(), Ok(0));
        let mut receive = pin!(from.recv());
        while receive.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
            receive.set(from.recv());
        }
        to.close();
    });
}

/// Sends and receives on the same channel, wherever it is woken or dropped.
struct Reenters(Sender<u32>);

impl Wake for Reenters {
    fn wake(self: Arc<Self>) {
        let _ = self.0.try_send(1);
    }
}

impl Drop for Reenters {
    fn drop(&mut self) {
        let _ = self.0.try_send(2);
        self.0.len();
    }
}

#[test]
fn a_waker_may_send_on_the_same_channel_when_it_is_woken_or_dropped() {
    over_every_flavour("a_waker_may_send_on_the_same_channel_when_it_is_woken_or_dropped", |flavour| {
        let (to, from) = flavour.channel();
        let waker = || Waker::from(Arc::new(Reenters(to.clone())));
        let mut receive = Box::pin(from.recv());
        // Displaced by the second poll, woken by the message, dropped with the third.
        assert!(receive.as_mut().poll(&mut Context::from_waker(&waker())).is_pending());
        let _ = receive.as_mut().poll(&mut Context::from_waker(&waker()));
        drop(receive);
        while from.try_recv().is_ok() {}
        let mut receive = Box::pin(from.recv());
        let registered = waker();
        assert!(receive.as_mut().poll(&mut Context::from_waker(&registered)).is_pending());
        drop(registered);
        to.try_send(3).unwrap();
        drop(receive);
        let mut receive = pin!(from.recv());
        let _ = receive.as_mut().poll(&mut Context::from_waker(&waker()));
        to.close();
    });
}
