//! What the intake, the jobs and the handle of one consumer share, and how each delivery is answered.

use super::{acks::Acks, counts::Counts, dead_letters::DeadLetters, room::Room};
use crate::{
    Client,
    delivery::{Delivery, GivenBack},
    failure::{Failure, Verdict},
};
use async_nats::{Request, Subject, jetstream::AckKind};
use bytes::Bytes;
use futures_util::FutureExt;
use std::{iter, sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

/// A server that is up answers in milliseconds; this is for one that restarts.
pub(super) const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);

/// A server that starts or elects a leader refuses at once, and a cluster takes some seconds for that.
const CONFIRM_PAUSE: Duration = Duration::from_secs(1);

/// In that time together a restart is over, or an `ack_wait`, and the message comes again anyway.
const CONFIRM_TRIES: usize = 6;

/// The server counts it in nanoseconds, in 63 bits.
const LONGEST_DELAY: Duration = Duration::from_nanos(i64::MAX as u64);

/// A dead letter that cannot be written waits this long for another try: somebody has to look after its stream.
const AGAIN_AFTER: Duration = Duration::from_secs(10);

/// One consumer's.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) client: Client,
    /// The client's own, at hand for each ack.
    pub(crate) nats: async_nats::Client,
    pub(crate) stream: String,
    pub(crate) durable: String,
    pub(crate) settings: Settings,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) counts: Counts,
    pub(crate) room: Room,
    pub(crate) acks: Acks,
}

/// What the builder was told, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) ack_wait: Duration,
    pub(crate) ack_sync: bool,
    pub(crate) max_deliver: u64,
    pub(crate) max_in_flight: usize,
    /// By attempt; the last one is that of all later ones.
    pub(crate) backoff: Vec<Duration>,
}

impl Shared {
    /// Answers for a handler that is content, from any thread.
    pub(crate) fn ack(self: &Arc<Self>, delivery: Arc<Delivery>) {
        if !self.settings.ack_sync {
            if !Acks::are_gathered(self.room.waiting.now()) {
                return self.send_on_worker(iter::once(delivery));
            }
            return self.send_on_worker(self.acks.push(delivery).into_iter());
        }
        let shared = Arc::clone(self);
        self.spawn(async move {
            let is_confirmed = shared.confirmed(&delivery).await;
            if !is_confirmed {
                tracing::warn!(sequence = delivery.receipted.sequence, "an ack was not confirmed");
            }
            shared.acked(is_confirmed);
        });
    }

    /// What has no room is the intake's to send.
    fn send_on_worker(&self, acks: impl Iterator<Item = Arc<Delivery>>) {
        if !self.send_without_wait(acks) {
            self.acks.due.notify_one();
        }
    }

    /// Sends those for which the connection's channel has room, and keeps the others. True: there are none.
    fn send_without_wait(&self, mut acks: impl Iterator<Item = Arc<Delivery>>) -> bool {
        while let Some(delivery) = acks.next() {
            match self.nats.publish(delivery.reply(), Bytes::new()).now_or_never() {
                Some(sent) => self.acked(sent.is_ok()),
                None => {
                    self.acks.put_back(iter::once(delivery).chain(acks));
                    return false;
                }
            }
        }
        true
    }

    /// Sends the acks that have been gathered, as far as there is room.
    pub(crate) fn send_acks(&self) {
        self.send_without_wait(self.acks.take().into_iter());
    }

    /// Gives up the acks for which there has been no room. The server will deliver their messages again.
    pub(crate) fn give_up_acks(&self) {
        self.acks.take().iter().for_each(|_| self.acked(false));
    }

    fn acked(&self, is_certain: bool) {
        let count = if is_certain { &self.counts.acked } else { &self.counts.unconfirmed };
        count.up();
        self.room.over();
    }

    async fn confirmed(&self, delivery: &Delivery) -> bool {
        for _ in 0..CONFIRM_TRIES {
            if self.request(delivery.reply(), AckKind::Ack.into(), CONFIRM_TIMEOUT).await {
                return true;
            }
            // Ended by the clock.
            sleep(CONFIRM_PAUSE).await;
        }
        false
    }

    /// Answers for a handler that is not content: another try, or the dead letters.
    pub(crate) fn fail(self: &Arc<Self>, delivery: Arc<Delivery>, failure: Failure) {
        if failure.verdict == Verdict::Panicked {
            self.counts.panicked.up();
        }
        let shared = Arc::clone(self);
        self.spawn(async move {
            let attempt = delivery.receipted.attempt;
            match failure.verdict {
                Verdict::Retry(delay) if attempt < shared.settings.max_deliver => {
                    shared.retry(&delivery, delay.unwrap_or_else(|| shared.backoff(attempt))).await;
                }
                Verdict::Panicked if attempt < shared.settings.max_deliver => {
                    shared.retry(&delivery, shared.backoff(attempt)).await;
                }
                _ => shared.bury(&delivery, &failure).await,
            }
            shared.room.over();
        });
    }

    /// Answers for one that has been delivered too often already, and whose handlers never came to an end: they may have taken
    /// their processes with them. It is not run again.
    pub(crate) fn give_up(self: &Arc<Self>, delivery: Arc<Delivery>) {
        // Nobody but the intake has it yet, so both are true.
        if delivery.begin() && delivery.end(false) {
            self.room.begun();
            let Settings { max_deliver, .. } = self.settings;
            let why = format!("no answer to any of its deliveries, of which it had {max_deliver} at most");
            self.fail(delivery, Failure::poison(why));
        }
    }

    async fn retry(&self, delivery: &Delivery, delay: Duration) {
        self.answer(delivery, AckKind::Nak(Some(delay.min(LONGEST_DELAY)))).await;
        self.counts.retried.up();
    }

    /// To the dead letters first, and only then off the stream: in between it is in both, and never in none.
    async fn bury(&self, delivery: &Delivery, failure: &Failure) {
        match self.dead_letters.write(delivery, failure).await {
            Ok(()) => {
                self.answer(delivery, AckKind::Term).await;
                self.counts.dead.up();
            }
            Err(error) => {
                tracing::error!(
                    sequence = delivery.receipted.sequence,
                    "a job that failed for good ({failure}) cannot be put into the dead letters: {error}"
                );
                self.retry(delivery, AGAIN_AFTER).await;
            }
        }
    }

    /// Has the server give it to others at once.
    pub(crate) fn give_back(self: &Arc<Self>, delivery: Arc<Delivery>, from: GivenBack) {
        let shared = Arc::clone(self);
        if from == GivenBack::Waiting {
            self.room.begun();
        }
        self.spawn(async move {
            shared.answer(&delivery, AckKind::Nak(None)).await;
            let count = match from {
                GivenBack::Waiting => &shared.counts.returned,
                GivenBack::Running => &shared.counts.cut_off,
            };
            count.up();
            shared.room.over();
        });
    }

    /// A plain one, that no answer comes to. False: it could not be sent, and the server's `ack_wait` does the same. On the
    /// client's thread.
    pub(crate) async fn answer(&self, delivery: &Delivery, kind: AckKind) -> bool {
        // Ended by the connection's task, which takes what is in its channel, or by the time: while the server is away, it
        // takes nothing.
        let sent = timeout(CONFIRM_TIMEOUT, self.nats.publish(delivery.reply(), kind.into())).await;
        matches!(sent, Ok(Ok(())))
    }

    /// False: no answer came in that time. On the client's thread.
    pub(super) async fn request(&self, subject: Subject, payload: Bytes, within: Duration) -> bool {
        let request = Request::new().payload(payload).timeout(Some(within));
        // Ended by the server's answer, or by the time; that of the request does not count the wait for the connection's task.
        matches!(timeout(within, self.nats.send_request(subject, request)).await, Ok(Ok(_)))
    }

    fn backoff(&self, attempt: u64) -> Duration {
        let backoff = &self.settings.backoff;
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        backoff[index.min(backoff.len() - 1)]
    }

    /// On the client's thread, where tokio is.
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        // The task has a clone of `Shared` and so of the client, whose thread lasts until it has ended.
        drop(self.client.runtime().spawn(future));
    }
}
