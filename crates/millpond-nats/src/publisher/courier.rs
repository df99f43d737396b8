//! A publisher's task on the client's thread: takes the answers, and sends what has to be sent again.

use super::{
    answer::Answer,
    error::PublishError,
    settled::Settled,
    shared::{Handed, Shared},
    slots::Token,
};
use crate::client::{Client, Epoch};
use async_nats::{Message, Subscriber};
use futures_util::{FutureExt, StreamExt, future::BoxFuture};
use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};

/// How late a deadline may be seen. Nobody pays for it while nothing is in flight.
const TICK: Duration = Duration::from_millis(50);

/// Answers taken under one lock. The givers of messages wait for it as long: some ten microseconds.
const BATCH: usize = 256;

pub(super) struct Courier {
    shared: Arc<Shared>,
    epochs: watch::Receiver<Epoch>,
    /// The number of the connection that messages go to: 0 before the first.
    epoch: u64,
    /// A message that the client has had no room for so far. It is the front of the queue, unless that was made anew.
    sending: Option<BoxFuture<'static, (Token, Result<(), PublishError>)>>,
    settled: Settled,
    /// Empty between batches.
    batch: Vec<Message>,
    /// Ends all that is in flight, however the task ends.
    _end: End,
    /// Keeps the client's thread until all is answered.
    _client: Client,
}

struct End(Arc<Shared>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Courier {
    pub(super) fn new(shared: Arc<Shared>, client: Client) -> Courier {
        let (epochs, end) = (client.epoch(), End(Arc::clone(&shared)));
        Courier {
            shared,
            epochs,
            epoch: 0,
            sending: None,
            settled: Settled::default(),
            batch: Vec::new(),
            _end: end,
            _client: client,
        }
    }

    /// Runs until all handles have gone and all is answered, or the connection has ended for good.
    pub(super) async fn run(mut self) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let Some(mut answers) = self.subscribe(&mut tick).await else { return };
        let mut is_ticking = true;
        self.look_at_the_connection();
        loop {
            self.send_queued();
            if self.shared.lock().is_done() {
                return;
            }
            // Ended by an answer, a change of the connection, room in the client, a message that was given while this slept or
            // could not be sent by its giver, the last handle's drop, or the time. Each is kept until it is seen.
            tokio::select! {
                answer = answers.next() => match answer {
                    Some(answer) => self.take(answer, &mut answers),
                    None => return,
                },
                changed = self.epochs.changed() => match changed {
                    Ok(()) => self.look_at_the_connection(),
                    Err(_) => return,
                },
                (token, sent) = of(&mut self.sending) => self.has_sent(token, sent),
                () = self.shared.woken() => is_ticking = true,
                () = next(&mut tick), if is_ticking => is_ticking = self.tick(),
            }
        }
    }

    /// While there is no connection and the client is full, it waits; deadlines are kept all the same.
    async fn subscribe(&mut self, tick: &mut Interval) -> Option<Subscriber> {
        let shared = Arc::clone(&self.shared);
        let mut subscribing = pin!(shared.nats().subscribe(format!("{}*", shared.inbox())));
        loop {
            // Ended by room in the client, or its end.
            tokio::select! {
                subscribed = &mut subscribing => return subscribed.ok(),
                () = next(tick) => { self.tick(); }
            }
        }
    }

    fn look_at_the_connection(&mut self) {
        let Epoch { number, is_connected } = *self.epochs.borrow_and_update();
        let mut in_flight = self.shared.lock();
        if !is_connected {
            in_flight.disconnected();
        } else if number != self.epoch {
            in_flight.connected(self.epoch == 0, Instant::now());
            self.epoch = number;
        }
    }

    /// Takes an answer, and those that are there with it.
    fn take(&mut self, first: Message, answers: &mut Subscriber) {
        self.batch.push(first);
        while self.batch.len() < BATCH
            && let Some(Some(answer)) = answers.next().now_or_never()
        {
            self.batch.push(answer);
        }
        let now = Instant::now();
        let mut in_flight = self.shared.lock();
        for message in &self.batch {
            if let Some(token) = self.shared.token(&message.subject) {
                in_flight.answered(token, Answer::of(message), now, &mut self.settled);
            }
        }
        drop(in_flight);
        self.batch.clear();
        self.shared.tell(&mut self.settled);
    }

    /// Sends what is queued, as far as the client has room.
    fn send_queued(&mut self) {
        while self.sending.is_none() {
            let Some((token, message)) = self.shared.lock().next_queued() else { return };
            match self.shared.hand_over(token, message.clone()) {
                Handed::Taken => self.has_sent(token, Ok(())),
                Handed::Refused(error) => self.has_sent(token, Err(error)),
                Handed::Full => {
                    let shared = Arc::clone(&self.shared);
                    self.sending = Some(Box::pin(async move { (token, shared.send(token, message).await) }));
                }
            }
        }
    }

    fn has_sent(&mut self, token: Token, sent: Result<(), PublishError>) {
        self.sending = None;
        let mut in_flight = self.shared.lock();
        match sent {
            Ok(()) => in_flight.sent(token, Instant::now()),
            Err(error) => in_flight.refused(token, error, &mut self.settled),
        }
        drop(in_flight);
        self.shared.tell(&mut self.settled);
    }

    /// False: nothing is in flight, so there is nothing to look for.
    fn tick(&mut self) -> bool {
        let mut in_flight = self.shared.lock();
        in_flight.tick(Instant::now(), self.shared.id_prefix(), &mut self.settled);
        let is_asleep = in_flight.fall_asleep();
        drop(in_flight);
        self.shared.tell(&mut self.settled);
        !is_asleep
    }
}

/// The output of a future that may be there. What is not there never ends.
async fn of<T>(future: &mut Option<BoxFuture<'static, T>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}

async fn next(tick: &mut Interval) {
    tick.tick().await;
}
