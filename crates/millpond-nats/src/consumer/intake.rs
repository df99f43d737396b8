//! What runs on the client's thread for one consumer: it pulls, hands over to the pool, and keeps the server patient.

use super::{
    End,
    acks::GATHER,
    handed::{Handing, Hands, Waiting},
    in_flight::{InFlight, Known},
    inbox::Inbox,
    prefetch::Prefetch,
    pulls::{Arrival, SILENCE},
    shared::Shared,
};
use crate::{client::Epoch, delivery::Delivery, reply::Receipted};
use async_nats::{client::SubscribeError, jetstream::AckKind};
use bytes::Bytes;
use millpond::JoinHandle;
use std::{
    collections::VecDeque,
    future::{Future, pending},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    select,
    sync::watch,
    time::{sleep, sleep_until},
};

/// A server that cannot serve pulls now, because it starts or elects a leader, is asked again after this.
const LATER: Duration = Duration::from_millis(250);

/// A server that is up answers in a fraction of this. One that is not will give what it has sent to others after `ack_wait`.
pub(super) const SERVER_TIME: Duration = Duration::from_millis(500);

/// The server is told this many times in `ack_wait` that a message is being worked on: one that is lost or late does no harm.
const PROGRESS_PER_ACK_WAIT: u32 = 3;

/// Where the server is asked about one consumer.
#[derive(Debug)]
pub(super) struct Api {
    /// For messages.
    pub(super) next: String,
    /// For its state.
    pub(super) info: String,
}

/// One consumer's. Its whole life is [`serve`](Self::serve), then [`stop`](Self::stop).
pub(super) struct Intake {
    pub(super) shared: Arc<Shared>,
    pub(super) hands: Box<dyn Hands>,
    pub(super) inbox: Inbox,
    api: Api,
    epoch: watch::Receiver<Epoch>,
    /// Came, and not handed over, because the pool has no room.
    pub(super) pending: VecDeque<Arc<Delivery>>,
    /// The first of them is on its way.
    pub(super) handing: Option<(Arc<Delivery>, Waiting)>,
    pub(super) in_flight: InFlight,
    prefetch: Prefetch,
    /// When the server last showed itself.
    heard: Instant,
    /// No pull before this.
    later: Option<Instant>,
    /// When the server was last told of what is in flight.
    progress: Instant,
    /// When acks were last sent from here.
    gathered: Instant,
    /// Kept for its place in memory.
    arrivals: Vec<Arrival>,
}

/// What ends a wait of the intake.
pub(super) enum Event {
    /// There is something in `arrivals`.
    Arrived,
    /// The connection has ended for good.
    Disconnected,
    /// A level has come down to its mark.
    Room,
    /// There are acks that found no room: they are due after a while.
    Acks,
    /// The pool has room, or has closed.
    Handed(Option<JoinHandle<()>>),
    /// The connection was lost or found.
    Epoch,
    /// Something is due by the clock.
    Due,
}

impl Intake {
    pub(super) async fn open(
        shared: Arc<Shared>,
        hands: Box<dyn Hands>,
        workers: usize,
        api: Api,
    ) -> Result<Intake, SubscribeError> {
        let mut epoch = shared.client.epoch();
        // The present connection's, not yet told as a change.
        epoch.mark_unchanged();
        let inbox = Inbox::open(&shared.client, api.next.clone()).await?;
        let prefetch = Prefetch::new(workers, shared.settings.max_in_flight);
        let now = Instant::now();
        Ok(Intake {
            shared,
            hands,
            inbox,
            api,
            epoch,
            pending: VecDeque::new(),
            handing: None,
            in_flight: InFlight::new(),
            prefetch,
            heard: now,
            later: None,
            progress: now,
            gathered: now,
            arrivals: Vec::new(),
        })
    }

    /// Until `stopped` ends, or there is nothing to do any more.
    pub(super) async fn serve(&mut self, stopped: impl Future<Output = ()>) -> End {
        let mut stopped = std::pin::pin!(stopped);
        loop {
            if self.hand_over().is_err() {
                return End::PoolClosed;
            }
            self.send_gathered_acks();
            let event = select! {
                // Ended by the handle, which says so or goes.
                () = &mut stopped => return End::Stopped,
                event = self.pull_and_wait() => event,
            };
            if let Err(end) = self.handle(event).await {
                return end;
            }
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), End> {
        match event {
            Event::Arrived => self.take_arrivals().await?,
            Event::Handed(Some(job)) => {
                if let Some((delivery, _)) = self.handing.take() {
                    self.in_flight.push(delivery, job);
                }
            }
            Event::Handed(None) => return Err(End::PoolClosed),
            Event::Epoch => self.renew().await?,
            Event::Due => self.due().await?,
            Event::Room | Event::Acks => {}
            Event::Disconnected => {
                return Err(End::Deleted("the connection has ended for good".to_owned()));
            }
        }
        Ok(())
    }

    /// Those that the workers have left lying for their time. The rest they send themselves.
    fn send_gathered_acks(&mut self) {
        let now = Instant::now();
        if now >= self.gathered + GATHER {
            self.gathered = now;
            self.shared.send_acks();
        }
    }

    async fn pull_and_wait(&mut self) -> Event {
        self.pull().await;
        self.event().await
    }

    /// Waits for whatever comes first.
    pub(super) async fn event(&mut self) -> Event {
        let due = self.next_due();
        let handed = async {
            match &mut self.handing {
                Some((_, waiting)) => waiting.await,
                None => pending().await,
            }
        };
        select! {
            // What has come first of all: the less of it lies about, the better.
            biased;
            // Ended as its own text says.
            more = self.inbox.arrivals(&mut self.arrivals) => if more { Event::Arrived } else { Event::Disconnected },
            // Ended by the pool, when it has room or closes.
            job = handed => Event::Handed(job),
            // Ended by the worker that takes a level to its mark; a wake that comes before is kept.
            () = self.shared.room.freed.notified() => Event::Room,
            // Ended by the worker whose acks found no room; a wake that comes before is kept.
            () = self.shared.acks.due.notified() => Event::Acks,
            // Ended by the connection's events.
            _ = self.epoch.changed() => Event::Epoch,
            // Ended by the clock.
            () = sleep_until(due.into()) => Event::Due,
        }
    }

    fn next_due(&self) -> Instant {
        let silence = (self.inbox.credit() > 0).then(|| self.heard + SILENCE);
        let is_busy = self.shared.room.in_flight.now() > 0;
        let progress = is_busy.then(|| self.progress + self.progress_period());
        // While some wait, acks are gathered; nobody but this task has more wait. What found no room is tried again.
        let gathers = self.shared.room.waiting.now() > 0 || !self.shared.acks.is_empty();
        let gather = gathers.then(|| self.gathered + GATHER);
        let due = [silence, progress, self.later, gather].into_iter().flatten().min();
        // With nothing due, at a time when nothing is.
        due.unwrap_or_else(|| Instant::now() + SILENCE)
    }

    async fn due(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if self.later.is_some_and(|later| later <= now) {
            self.later = None;
        }
        self.send_progress(now).await;
        let is_connected = self.epoch.borrow().is_connected;
        if is_connected && self.inbox.credit() > 0 && now >= self.heard + SILENCE {
            tracing::warn!(stream = self.shared.stream, "no sign of the server for {SILENCE:?}: asking anew");
            self.renew().await?;
        }
        Ok(())
    }

    /// Asks for as many messages as the pool has room for, or sees to it that somebody tells when it has.
    async fn pull(&mut self) {
        self.in_flight.tidy(self.shared.room.in_flight.now() as usize);
        if self.later.is_some() || !self.epoch.borrow().is_connected {
            return;
        }
        loop {
            let (waiting, in_flight) = (self.shared.room.waiting.now(), self.shared.room.in_flight.now());
            let started = self.shared.counts.started.read();
            let target = self.prefetch.target(Instant::now(), started, waiting > 0) as i64;
            let most = self.shared.settings.max_in_flight as i64;
            let credit = self.inbox.credit() as i64;
            // Not for each message, but for half of what is to be ready.
            let step = (target.min(most) / 2).max(1);
            let wanted = (target - waiting).min(most - in_flight) - credit;
            if wanted >= step {
                if credit == 0 {
                    self.heard = Instant::now();
                }
                self.shared.counts.pulls.up();
                return self.inbox.pull(wanted as usize).await;
            }
            let waits = self.shared.room.waiting.set_mark(target - credit - step);
            let is_full = self.shared.room.in_flight.set_mark(most - credit - step);
            if !(waits && is_full) {
                return;
            }
        }
    }

    async fn take_arrivals(&mut self) -> Result<(), End> {
        self.heard = Instant::now();
        let mut arrivals = std::mem::take(&mut self.arrivals);
        for arrival in arrivals.drain(..) {
            match arrival {
                Arrival::Delivery(delivery) => self.accept(delivery).await,
                Arrival::Foreign => {
                    tracing::warn!(stream = self.shared.stream, "what came is no delivery of JetStream's");
                }
                Arrival::Status | Arrival::Marker => {}
                Arrival::Later(why) => {
                    tracing::debug!(stream = self.shared.stream, "the server serves no pulls now: {why}");
                    self.later = Some(self.heard + LATER);
                }
                Arrival::Deleted(why) => return Err(End::Deleted(why)),
            }
        }
        self.arrivals = arrivals;
        Ok(())
    }

    /// One that is known here is not run again.
    pub(super) async fn accept(&mut self, delivery: Arc<Delivery>) {
        if !self.in_flight.is_news(&delivery) {
            let answer = match self.known(&delivery.receipted) {
                Known::InFlight => Some(AckKind::Progress),
                Known::Done => Some(AckKind::Ack),
                Known::No => None,
            };
            if let Some(answer) = answer {
                self.shared.counts.repeated.up();
                self.shared.answer(&delivery, answer).await;
                return;
            }
        }
        if delivery.receipted.attempt > 1 {
            self.shared.counts.redelivered.up();
        }
        self.shared.counts.pulled.up();
        self.shared.room.came();
        self.pending.push_back(delivery);
    }

    fn known(&self, message: &Receipted) -> Known {
        let handing = self.handing.iter().map(|(delivery, _)| delivery);
        let mut at_hand = self.pending.iter().chain(handing);
        if at_hand.any(|delivery| delivery.receipted.is_same_message(message)) {
            return Known::InFlight;
        }
        self.in_flight.known(message)
    }

    /// Hands over what has come, as far as the pool has room. An error: it has closed.
    fn hand_over(&mut self) -> Result<(), ()> {
        while self.handing.is_none() {
            let Some(delivery) = self.pending.pop_front() else { break };
            if delivery.receipted.attempt > self.shared.settings.max_deliver {
                self.shared.give_up(delivery);
                continue;
            }
            match self.hands.hand(Arc::clone(&delivery), &self.shared) {
                Handing::Done(job) => self.in_flight.push(delivery, job),
                Handing::Full(waiting) => self.handing = Some((delivery, waiting)),
                Handing::Closed => return Err(()),
            }
        }
        Ok(())
    }

    /// An inbox for the connection that there is now.
    async fn renew(&mut self) -> Result<(), End> {
        if !self.epoch.borrow_and_update().is_connected {
            return Ok(());
        }
        let new = Inbox::open(&self.shared.client, self.api.next.clone()).await;
        let new = new.map_err(|error| End::Deleted(error.to_string()))?;
        std::mem::replace(&mut self.inbox, new).rest(&mut self.arrivals);
        self.have_pulls_forgotten().await;
        // What it says of its pulls is of the past.
        self.arrivals.retain(|arrival| matches!(arrival, Arrival::Delivery(_)));
        self.later = None;
        self.take_arrivals().await
    }

    /// A server learns of a pull that nobody waits for any more when it is about to serve it, and then older ones (2.9) lose
    /// sight of the message until `ack_wait`. Asked for the consumer's state, it looks for such pulls first.
    pub(super) async fn have_pulls_forgotten(&mut self) {
        self.round_trip().await;
    }

    /// What was written before, the server has read after this.
    pub(super) async fn round_trip(&mut self) {
        self.shared.request(self.api.info.clone().into(), Bytes::new(), SERVER_TIME).await;
    }

    pub(super) fn progress_period(&self) -> Duration {
        self.shared.settings.ack_wait / PROGRESS_PER_ACK_WAIT
    }

    /// Tells the server of all that is in flight, if it is time.
    pub(super) async fn send_progress(&mut self, now: Instant) {
        if now < self.progress + self.progress_period() {
            return;
        }
        self.progress = now;
        // While there is none, the answers would only wait before those that count.
        if !self.epoch.borrow().is_connected {
            return;
        }
        for delivery in self.in_hand() {
            self.shared.counts.progress.up();
            if !self.shared.answer(&delivery, AckKind::Progress).await {
                return;
            }
        }
    }

    /// All that is not over.
    fn in_hand(&self) -> Vec<Arc<Delivery>> {
        let handing = self.handing.iter().map(|(delivery, _)| delivery);
        self.pending.iter().chain(handing).chain(self.in_flight.live()).cloned().collect()
    }

    /// Waits for so long, and not for ever.
    pub(super) async fn arrivals_within(&mut self, time: Duration) -> Option<Vec<Arrival>> {
        select! {
            more = self.inbox.arrivals(&mut self.arrivals) => more.then(|| std::mem::take(&mut self.arrivals)),
            () = sleep(time) => None,
        }
    }
}
