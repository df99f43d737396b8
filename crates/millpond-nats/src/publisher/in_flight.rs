//! The messages without an answer, and which of them the client's thread has to send.

use super::{
    answer::Answer,
    error::PublishError,
    flushes::Flushes,
    outgoing::{MessageId, Outgoing},
    publishing::Published,
    receipt::{Outcome, PublishReceipt, PublisherMetrics},
    settled::Settled,
    slots::{Slots, Token},
    waiting::{Answered, Stage, Waiting},
};
use std::{
    collections::VecDeque,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// How long after it was given a message may find no stream before that is an error: a stream that is just being made is there
/// by then.
const NO_STREAM_PATIENCE: Duration = Duration::from_millis(500);
/// The same after a reconnect. The servers of a cluster take connections before all their streams have leaders again; an
/// election takes seconds.
const RECONNECT_PATIENCE: Duration = Duration::from_secs(10);

/// All that a publisher's handles and its task on the client's thread share, under one lock. Nothing is woken under it, and
/// nothing of the user's is dropped.
pub(super) struct InFlight {
    slots: Slots<Waiting>,
    /// To be sent by the task, in this order. Its front may be on its way into the client already. While there is any, what is
    /// given goes to the back, so that nothing overtakes.
    queue: VecDeque<Token>,
    link: Link,
    /// The task sleeps without a timer, as nothing is in flight. Written by both; whoever gives a message then wakes it.
    asleep: bool,
    /// All handles have gone: the task ends when nothing is in flight.
    is_closed: bool,
    counts: PublishReceipt,
    resent: u64,
    flushes: Flushes,
    /// Until then a stream that is missing is taken for one that is coming back.
    patient_until: Option<Instant>,
    /// The name in the last answer: nearly always that in the next.
    stream: Arc<str>,
    publish_timeout: Duration,
    resend_after: Duration,
}

/// The way to the server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Link {
    /// No connection, or none yet. What is given is queued.
    Down,
    Up,
    /// There will be no connection any more. Nothing is taken.
    Ended,
}

/// What the giver of a message has to do.
pub(super) struct Given {
    pub(super) token: Token,
    /// Send it. Otherwise the task does.
    pub(super) is_direct: bool,
    /// Wake the task.
    pub(super) wakes: bool,
}

impl InFlight {
    pub(super) fn new(publish_timeout: Duration, resend_after: Duration) -> InFlight {
        InFlight {
            slots: Slots::new(),
            queue: VecDeque::new(),
            link: Link::Down,
            asleep: false,
            is_closed: false,
            counts: PublishReceipt::default(),
            resent: 0,
            flushes: Flushes::default(),
            patient_until: None,
            stream: Arc::from(""),
            publish_timeout,
            resend_after,
        }
    }

    /// Takes a message. `None`: the connection has ended.
    pub(super) fn give(
        &mut self,
        message: Outgoing,
        answer: oneshot::Sender<Answered>,
        now: Instant,
    ) -> Option<Given> {
        let is_direct = match self.link {
            Link::Ended => return None,
            Link::Up => self.queue.is_empty(),
            Link::Down => false,
        };
        let (stage, attempts) = if is_direct { (Stage::Sent(now), 1) } else { (Stage::Queued, 0) };
        let era = self.flushes.era();
        let waiting = Waiting { message, stage, era, given: now, attempts, last_answer: None, answer };
        let token = self.slots.insert(waiting);
        if !is_direct {
            self.queue.push_back(token);
        }
        Some(Given { token, is_direct, wakes: mem::take(&mut self.asleep) })
    }

    /// The client had no room for a message that its giver was to send, so the task does.
    pub(super) fn defer(&mut self, token: Token) {
        if let Some(waiting) = self.slots.get_mut(token)
            && waiting.stage != Stage::Queued
        {
            waiting.stage = Stage::Queued;
            waiting.attempts -= 1;
            self.queue.push_back(token);
        }
    }

    /// Takes back a message that the client refuses to its giver. False: it has ended already, and its answer is there.
    pub(super) fn take_back(&mut self, token: Token, settled: &mut Settled) -> bool {
        let Some(waiting) = self.slots.remove(token) else { return false };
        self.flushes.tell(waiting.era, None, &mut settled.flushed);
        settled.dropped.push(waiting.message.payload);
        true
    }

    /// What the task has to send next. It stays in the queue until it is [`sent`](Self::sent).
    pub(super) fn next_queued(&mut self) -> Option<(Token, Outgoing)> {
        while self.link == Link::Up {
            let token = *self.queue.front()?;
            match self.slots.get_mut(token) {
                Some(waiting) if waiting.stage == Stage::Queued => {
                    return Some((token, waiting.message.clone()));
                }
                // Its time was up, or an earlier attempt has been answered.
                _ => self.queue.pop_front(),
            };
        }
        None
    }

    /// The client has taken what the task sent.
    pub(super) fn sent(&mut self, token: Token, now: Instant) {
        if self.queue.front() == Some(&token) {
            self.queue.pop_front();
        }
        if let Some(waiting) = self.slots.get_mut(token) {
            self.resent += u64::from(waiting.attempts > 0);
            waiting.stage = Stage::Sent(now);
            waiting.attempts += 1;
        }
    }

    pub(super) fn disconnected(&mut self) {
        if self.link == Link::Up {
            self.link = Link::Down;
        }
    }

    /// A connection is there. What the one before was given may be lost, so all goes again, in the order in which it came.
    pub(super) fn connected(&mut self, is_first: bool, now: Instant) {
        self.link = Link::Up;
        if !is_first {
            self.patient_until = Some(now + RECONNECT_PATIENCE);
        }
        self.queue.clear();
        self.enqueue(|_| true);
    }

    /// The connection has ended for good, and with it all that is in flight.
    pub(super) fn end(&mut self, settled: &mut Settled) {
        self.link = Link::Ended;
        self.queue.clear();
        let why = |waiting: &mut Waiting| PublishError::ClientEnded {
            subject: waiting.message.subject.to_string(),
        };
        self.fail(|_| true, why, settled);
    }

    /// All handles have gone.
    pub(super) fn close(&mut self) {
        self.is_closed = true;
    }

    /// The task has nothing left to do, ever.
    pub(super) fn is_done(&self) -> bool {
        self.is_closed && self.slots.len() == 0
    }

    /// True: nothing is in flight, and the task may sleep until it is woken.
    pub(super) fn fall_asleep(&mut self) -> bool {
        self.asleep = self.slots.len() == 0;
        self.asleep
    }

    /// Looks for what has waited too long.
    pub(super) fn tick(&mut self, now: Instant, id_prefix: &str, settled: &mut Settled) {
        let timeout = self.publish_timeout;
        let is_late = |waiting: &Waiting| now.saturating_duration_since(waiting.given) >= timeout;
        let why = |waiting: &mut Waiting| PublishError::TimedOut {
            subject: waiting.message.subject.to_string(),
            id: waiting.message.id(id_prefix),
            attempts: waiting.attempts,
            timeout,
            last_answer: waiting.last_answer.take().map(String::from),
        };
        self.fail(is_late, why, settled);
        let resend_after = self.resend_after;
        if self.link == Link::Up {
            self.enqueue(|stage| match stage {
                Stage::Queued => false,
                Stage::Sent(at) => now.saturating_duration_since(at) >= resend_after,
                Stage::Resting { until } => now >= until,
            });
        }
    }

    /// Takes an answer of the server.
    pub(super) fn answered(&mut self, token: Token, answer: Answer<'_>, now: Instant, settled: &mut Settled) {
        let Some(waiting) = self.slots.get_mut(token) else { return };
        let subject = || waiting.message.subject.to_string();
        let result = match answer {
            Answer::Stored { stream, sequence, duplicate } => {
                let duplicate = duplicate && !matches!(waiting.message.id, MessageId::Own);
                if *self.stream != *stream {
                    self.stream = Arc::from(&*stream);
                }
                Ok(Published { stream: Arc::clone(&self.stream), sequence, duplicate })
            }
            Answer::NoStream
                if Some(now) < self.patient_until.max(Some(waiting.given + NO_STREAM_PATIENCE)) =>
            {
                return waiting.rest("no stream listens to the subject", now);
            }
            Answer::NoStream => Err(PublishError::NoStream { subject: subject() }),
            Answer::Busy { reason } => return waiting.rest(&reason, now),
            Answer::Full { stream, reason } => {
                Err(PublishError::Full { subject: subject(), stream: stream.into(), reason: reason.into() })
            }
            Answer::Refused { stream, code, reason } => Err(PublishError::Refused {
                subject: subject(),
                stream: stream.into(),
                code,
                reason: reason.into(),
            }),
            // The stream's own answer is still to come; without one the message is sent again.
            Answer::Foreign => return,
        };
        self.settle(token, result, settled);
    }

    /// The client refuses what the task was to send.
    pub(super) fn refused(&mut self, token: Token, error: PublishError, settled: &mut Settled) {
        self.settle(token, Err(error), settled);
    }

    /// What became of all that was given so far: now, or when the rest is answered.
    pub(super) fn flush(&mut self) -> Result<PublishReceipt, oneshot::Receiver<PublishReceipt>> {
        match self.slots.len() {
            0 => Ok(self.counts),
            in_flight => Err(self.flushes.begin(in_flight, self.counts)),
        }
    }

    pub(super) fn metrics(&self) -> PublisherMetrics {
        PublisherMetrics { answered: self.counts, in_flight: self.slots.len() as u64, resent: self.resent }
    }

    fn settle(&mut self, token: Token, result: Answered, settled: &mut Settled) {
        let Some(waiting) = self.slots.remove(token) else { return };
        let outcome = result.as_ref().map_or(Outcome::Failed, Published::outcome);
        self.counts.count(outcome);
        self.flushes.tell(waiting.era, Some(outcome), &mut settled.flushed);
        settled.answers.push((waiting.answer, result));
        settled.dropped.push(waiting.message.payload);
    }

    fn fail(
        &mut self,
        is_to_fail: impl Fn(&Waiting) -> bool,
        why: impl Fn(&mut Waiting) -> PublishError,
        settled: &mut Settled,
    ) {
        let failed: Vec<Token> =
            self.slots.iter().filter(|(_, waiting)| is_to_fail(waiting)).map(|(token, _)| token).collect();
        for token in failed {
            if let Some(error) = self.slots.get_mut(token).map(&why) {
                self.settle(token, Err(error), settled);
            }
        }
    }

    /// Queues those of these stages, in the order in which they were given.
    fn enqueue(&mut self, is_due: impl Fn(Stage) -> bool) {
        let due = self.slots.iter().filter(|(_, waiting)| is_due(waiting.stage));
        let mut due: Vec<_> = due.map(|(token, waiting)| (waiting.message.number, token)).collect();
        due.sort_unstable_by_key(|(number, _)| *number);
        for (_, token) in due {
            if let Some(waiting) = self.slots.get_mut(token) {
                waiting.stage = Stage::Queued;
            }
            self.queue.push_back(token);
        }
    }
}

#[cfg(test)]
mod tests;
