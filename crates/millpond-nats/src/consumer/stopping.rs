//! The end of a consumer: what it has not begun goes back at once, what it has begun comes to its end.

use super::{
    End, Receipt,
    acks::GATHER,
    intake::{Intake, SERVER_TIME},
    pulls::Arrival,
    shared::CONFIRM_TIMEOUT,
};
use std::{sync::Arc, time::Instant};
use tokio::{
    select,
    time::{sleep_until, timeout},
};

/// What becomes of those that run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grace {
    /// They have until then.
    Until(Instant),
    /// They have all the time they need: nobody waits.
    Unlimited,
}

impl Intake {
    /// Ends it all.
    pub(super) async fn stop(mut self, end: End, grace: Grace) -> Receipt {
        self.collect().await;
        self.give_back_unbegun();
        self.finish(grace).await;
        // The process may end now, and what is written and not read can be lost with its socket.
        self.round_trip().await;
        Receipt { counts: self.shared.counts.read(), end }
    }

    /// Takes what the server has sent, and ends the pulls.
    ///
    /// What was on its way when the subscription ends would be lost to everybody for an `ack_wait`. So it ends when nothing is:
    /// a marker that we send ourselves comes back behind all that the server has sent before.
    async fn collect(&mut self) {
        let until = Instant::now() + SERVER_TIME;
        let mut is_quiet = self.inbox.credit() == 0;
        while !is_quiet && Instant::now() < until {
            // These two are ended by the connection's task, or by the time: while the server is away, it takes nothing.
            let _ = timeout(SERVER_TIME, self.inbox.mark()).await;
            is_quiet = !self.take_until_marker(until).await || self.inbox.credit() == 0;
        }
        let _ = timeout(SERVER_TIME, self.inbox.close()).await;
        while let Some(arrivals) = self.arrivals_within(until.saturating_duration_since(Instant::now())).await
        {
            self.accept_all(arrivals).await;
        }
        self.have_pulls_forgotten().await;
    }

    /// True: messages came before the marker.
    async fn take_until_marker(&mut self, until: Instant) -> bool {
        let mut came = false;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some(arrivals) = self.arrivals_within(left).await else { return came };
            let is_marked = arrivals.iter().any(|arrival| matches!(arrival, Arrival::Marker));
            came |= self.accept_all(arrivals).await;
            if is_marked {
                return came;
            }
        }
    }

    /// True: there were messages among them.
    async fn accept_all(&mut self, arrivals: Vec<Arrival>) -> bool {
        let mut came = false;
        for arrival in arrivals {
            if let Arrival::Delivery(delivery) = arrival {
                came = true;
                self.accept(delivery).await;
            }
        }
        came
    }

    fn give_back_unbegun(&mut self) {
        // Dropped, it gives back what it holds.
        self.handing = None;
        let pending = std::mem::take(&mut self.pending);
        for delivery in pending.iter().chain(self.in_flight.live()) {
            if let Some(from) = delivery.give_back_unbegun() {
                self.shared.give_back(Arc::clone(delivery), from);
            }
        }
    }

    /// Waits for what runs and what is being answered, and at the end of its time for the latter alone.
    async fn finish(&mut self, grace: Grace) {
        if let Grace::Until(deadline) = grace
            && !self.all_over(Some(deadline)).await
        {
            self.cut_off();
            if !self.all_over(Some(Instant::now() + CONFIRM_TIMEOUT)).await {
                self.shared.give_up_acks();
            }
        }
        // What is left is being answered, and each answer has a limit of its own.
        self.all_over(None).await;
    }

    /// Gives back what runs, and ends its jobs. One that computes cannot be ended; what it comes to no longer counts.
    fn cut_off(&mut self) {
        for delivery in self.in_flight.live() {
            if let Some(from) = delivery.give_back() {
                self.shared.give_back(Arc::clone(delivery), from);
            }
        }
        self.in_flight.abort();
    }

    /// Waits until nothing is in flight. False: it was time before that.
    async fn all_over(&mut self, deadline: Option<Instant>) -> bool {
        loop {
            self.shared.send_acks();
            if self.shared.room.in_flight.set_mark(0) {
                return true;
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return false;
            }
            self.send_progress(now).await;
            // Acks that found no room are tried again.
            let period = if self.shared.acks.is_empty() { self.progress_period() } else { GATHER };
            let tick = now + period;
            let due = deadline.map_or(tick, |deadline| deadline.min(tick));
            select! {
                // Ended by the one that takes the level to its mark, which is nothing; a wake that comes before is kept.
                () = self.shared.room.freed.notified() => {}
                // Ended by the worker whose acks found no room; a wake that comes before is kept.
                () = self.shared.acks.due.notified() => {}
                // Ended by the clock.
                () = sleep_until(due.into()) => {}
            }
        }
    }
}
