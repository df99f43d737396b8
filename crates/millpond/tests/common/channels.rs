//! Things that a task awaits and another thread brings about, each as its two ends.
//!
//! The two go in lockstep: a round is fed only once the task has said that it is pending in it, so every round needs
//! its wake, and the wake races with the task's loop going to sleep.

use millpond::Handle;
use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc,
    },
};

/// Enough for a wake to come at each step of going to sleep, and all the combinations together take a second.
const ROUNDS: u32 = 100;

pub(crate) type SendFuture = Pin<Box<dyn Future<Output = ()> + Send>>;
/// Makes the future to await.
pub(crate) type Waiter = Box<dyn FnOnce() -> SendFuture + Send>;
/// Feeds that future, and returns when it has gone.
pub(crate) type Feeder = Box<dyn FnOnce() + Send>;

/// One kind of thing to wait for.
pub(crate) struct Channel {
    /// For the message of a failure.
    pub(crate) name: &'static str,
    /// Makes the future that waits through all the rounds.
    wait: Box<dyn FnOnce(Rounds) -> SendFuture + Send>,
    /// Brings about one round. Never blocks.
    feed: Box<dyn FnMut() + Send>,
}

/// The numbers of the rounds.
pub(crate) struct Rounds {
    /// How many have begun. Written by the waiting task; what it says to the feeder comes with a message, so relaxed.
    begun: Arc<AtomicU32>,
}

impl Iterator for Rounds {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let round = self.begun.load(Relaxed);
        (round < ROUNDS).then(|| {
            self.begun.store(round + 1, Relaxed);
            round
        })
    }
}

impl Channel {
    fn new<W>(
        name: &'static str,
        wait: impl FnOnce(Rounds) -> W + Send + 'static,
        feed: impl FnMut() + Send + 'static,
    ) -> Channel
    where
        W: Future<Output = ()> + Send + 'static,
    {
        Channel { name, wait: Box::new(move |rounds| Box::pin(wait(rounds))), feed: Box::new(feed) }
    }

    /// The two sides, to be run by two threads.
    pub(crate) fn lockstep(self) -> (Waiter, Feeder) {
        let Channel { wait, mut feed, .. } = self;
        let (pending, is_pending) = mpsc::channel();
        let waiter: Waiter = Box::new(move || {
            let begun = Arc::new(AtomicU32::new(0));
            let mut waiting = wait(Rounds { begun: Arc::clone(&begun) });
            Box::pin(poll_fn(move |cx| {
                let polled = waiting.as_mut().poll(cx);
                if polled.is_pending() {
                    // Nobody listens any more where the feeder has failed.
                    let _ = pending.send(begun.load(Relaxed));
                }
                polled
            }))
        });
        let feeder: Feeder = Box::new(move || {
            let mut fed = 0;
            // Each round comes with a message, since a pending poll sends one after every wake; the drop of the future
            // ends it. What a poll without a wake says is old news.
            for begun in is_pending {
                if begun > fed {
                    feed();
                    fed += 1;
                }
            }
        });
        (waiter, feeder)
    }
}

/// One of each kind, new.
pub(crate) fn all() -> Vec<Channel> {
    vec![
        flume_recv(),
        flume_send(),
        tokio_oneshot(),
        tokio_mpsc(),
        tokio_notify(),
        tokio_semaphore(),
        futures_oneshot(),
        futures_mpsc(),
    ]
}

/// Senders give each round its number, in order.
fn numbered(mut send: impl FnMut(u32)) -> impl FnMut() {
    let mut next = 0;
    move || {
        send(next);
        next += 1;
    }
}

fn flume_recv() -> Channel {
    let (sender, receiver) = flume::unbounded();
    let wait = |rounds: Rounds| async move {
        for round in rounds {
            assert_eq!(receiver.recv_async().await, Ok(round));
        }
    };
    Channel::new(
        "flume's recv_async",
        wait,
        numbered(move |round| sender.send(round).expect("it is awaited")),
    )
}

fn flume_send() -> Channel {
    let (sender, receiver) = flume::bounded(1);
    let wait = |rounds: Rounds| async move {
        for round in rounds {
            sender.send_async(round).await.expect("the receiver is there");
        }
    };
    // The channel is full when the sender waits.
    Channel::new(
        "flume's send_async",
        wait,
        numbered(move |round| assert_eq!(receiver.try_recv(), Ok(round))),
    )
}

fn tokio_oneshot() -> Channel {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| tokio::sync::oneshot::channel()).unzip();
    let mut senders = senders.into_iter();
    let wait = |rounds: Rounds| async move {
        for (round, receiver) in rounds.zip(receivers) {
            assert_eq!(receiver.await, Ok(round));
        }
    };
    let send = move |round| senders.next().expect("one a round").send(round).expect("it is awaited");
    Channel::new("tokio's oneshot", wait, numbered(send))
}

fn tokio_mpsc() -> Channel {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let wait = |rounds: Rounds| async move {
        for round in rounds {
            assert_eq!(receiver.recv().await, Some(round));
        }
    };
    let send = move |round| sender.try_send(round).expect("it is awaited");
    Channel::new("tokio's mpsc", wait, numbered(send))
}

fn tokio_notify() -> Channel {
    let notify = Arc::new(tokio::sync::Notify::new());
    let notified = Arc::clone(&notify);
    let wait = |rounds: Rounds| async move {
        for _ in rounds {
            notified.notified().await;
        }
    };
    Channel::new("tokio's Notify", wait, move || notify.notify_one())
}

fn tokio_semaphore() -> Channel {
    let semaphore = Arc::new(tokio::sync::Semaphore::new(0));
    let acquired = Arc::clone(&semaphore);
    let wait = |rounds: Rounds| async move {
        for _ in rounds {
            acquired.acquire().await.expect("it is not closed").forget();
        }
    };
    Channel::new("tokio's Semaphore", wait, move || semaphore.add_permits(1))
}

fn futures_oneshot() -> Channel {
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..ROUNDS).map(|_| futures_channel::oneshot::channel()).unzip();
    let mut senders = senders.into_iter();
    let wait = |rounds: Rounds| async move {
        for (round, receiver) in rounds.zip(receivers) {
            assert_eq!(receiver.await, Ok(round));
        }
    };
    let send = move |round| senders.next().expect("one a round").send(round).expect("it is awaited");
    Channel::new("futures' oneshot", wait, numbered(send))
}

fn futures_mpsc() -> Channel {
    let (sender, mut receiver) = futures_channel::mpsc::unbounded();
    let wait = |rounds: Rounds| async move {
        for round in rounds {
            assert_eq!(futures_lite::StreamExt::next(&mut receiver).await, Some(round));
        }
    };
    let send = move |round| sender.unbounded_send(round).expect("it is awaited");
    Channel::new("futures' mpsc", wait, numbered(send))
}

/// Handles of jobs, one a round, each of which ends when it is fed.
pub(crate) fn join_handles(pool: &Handle) -> Channel {
    let (senders, jobs): (Vec<_>, Vec<_>) = (0..ROUNDS)
        .map(|_| {
            let (end, ended) = tokio::sync::oneshot::channel::<u32>();
            (end, pool.spawn(|| async { ended.await.expect("each job is fed") }))
        })
        .unzip();
    let mut senders = senders.into_iter();
    let wait = |rounds: Rounds| async move {
        for (round, job) in rounds.zip(jobs) {
            assert_eq!(job.await.expect("the job ends well"), round);
        }
    };
    let send = move |round| senders.next().expect("one a round").send(round).expect("the job waits");
    Channel::new("a JoinHandle", wait, numbered(send))
}
