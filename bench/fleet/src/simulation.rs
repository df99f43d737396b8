//! The simulation: what happens next, time after time, until the span is over.
//!
//! Nothing in it depends on the machine or the clock: the same settings give the same counts.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::node::Node;
use crate::random::Random;
use crate::settings::Settings;
use crate::stream::{Message, NodeRef, Op, Pull, Stream};
use crate::tally::Tally;
use crate::wire::Wire;

/// Whence the next event comes.
#[derive(Debug, Clone, Copy)]
enum Source {
    Server,
    Publisher,
    Delivery,
    Worker,
    Ack,
    Pull,
    Retry,
    AckWait,
    Fate,
}

/// An ack on its way, from when it leaves its node's buffer.
#[derive(Debug)]
pub(crate) struct Ack {
    message: Message,
    from: NodeRef,
    sent_ns: u64,
}

/// One stream and its nodes.
#[derive(Debug)]
pub(crate) struct Simulation<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) now_ns: u64,
    pub(crate) stream: Stream,
    pub(crate) nodes: Vec<Node>,
    /// What the server is at, and until when.
    pub(crate) at: Option<(u64, Op)>,
    /// When the next job of the publishers arrives. Drawn one at a time: however many the stream is behind, none is kept.
    pub(crate) next_publish_ns: f64,
    pub(crate) deliveries: Wire<(Message, NodeRef)>,
    pub(crate) acks: Wire<Ack>,
    pub(crate) pulls: Wire<Pull>,
    pub(crate) retries: Wire<NodeRef>,
    /// Ends of jobs: time, node, epoch, worker.
    pub(crate) ends: BinaryHeap<Reverse<(u64, u32, u32, u16)>>,
    /// Messages of crashed nodes, by when the stream takes them back.
    pub(crate) lost: BinaryHeap<Reverse<(u64, Lost)>>,
    /// Crashes and restarts by node.
    pub(crate) fates: BinaryHeap<Reverse<(u64, u32, bool)>>,
    pub(crate) arrivals: Random,
    pub(crate) lengths: Random,
    pub(crate) crashes: Random,
    pub(crate) tally: Tally,
    /// Stored and not yet removed; and how many there ever were of both, from the beginning.
    pub(crate) present: u64,
    pub(crate) stored: u64,
    pub(crate) removed: u64,
}

/// A message in a heap, ordered by nothing but its own times.
pub(crate) type Lost = (u64, u64, u64, bool);

pub(crate) fn run(settings: &Settings) -> Tally {
    let mut simulation = Simulation::new(settings);
    simulation.begin();
    simulation.until(settings.warm_up_ns);
    simulation.tally = Tally::new(settings.span_ns);
    let before = simulation.behind();
    simulation.until(settings.warm_up_ns + settings.span_ns);
    simulation.tally.backlog = [before, simulation.behind()];
    simulation.nothing_is_lost();
    simulation.tally
}

impl<'a> Simulation<'a> {
    fn new(settings: &'a Settings) -> Self {
        Simulation {
            settings,
            now_ns: 0,
            stream: Stream::new(settings),
            nodes: (0..settings.nodes as u32).map(|node| Node::new(node, settings.workers)).collect(),
            at: None,
            next_publish_ns: 0.0,
            deliveries: Wire::new(),
            acks: Wire::new(),
            pulls: Wire::new(),
            retries: Wire::new(),
            ends: BinaryHeap::new(),
            lost: BinaryHeap::new(),
            fates: BinaryHeap::new(),
            arrivals: Random::fork(settings.seed, 0),
            lengths: Random::fork(settings.seed, 1),
            crashes: Random::fork(settings.seed, 2),
            tally: Tally::new(settings.span_ns),
            present: 0,
            stored: 0,
            removed: 0,
        }
    }

    fn begin(&mut self) {
        self.draw_next_publish();
        for node in 0..self.nodes.len() as u32 {
            self.draw_crash(node);
            self.ask(node);
        }
    }

    fn until(&mut self, end_ns: u64) {
        loop {
            self.serve();
            let (time, source) = self.next();
            let time = time.min(end_ns);
            self.pass(time);
            if time == end_ns {
                return;
            }
            self.happen(source);
        }
    }

    fn next(&self) -> (u64, Source) {
        // A publisher's job wakes a server that is idle; one that is busy comes to it by itself.
        let (server, publisher) = match self.at {
            Some((end, _)) => (end, u64::MAX),
            None => (u64::MAX, self.next_publish_ns as u64),
        };
        let mut next = (server, Source::Server);
        for (time, source) in [
            (publisher, Source::Publisher),
            (self.deliveries.next_ns(), Source::Delivery),
            (self.ends.peek().map_or(u64::MAX, |Reverse(end)| end.0), Source::Worker),
            (self.acks.next_ns(), Source::Ack),
            (self.pulls.next_ns(), Source::Pull),
            (self.retries.next_ns(), Source::Retry),
            (self.lost.peek().map_or(u64::MAX, |Reverse(lost)| lost.0), Source::AckWait),
            (self.fates.peek().map_or(u64::MAX, |Reverse(fate)| fate.0), Source::Fate),
        ] {
            if time < next.0 {
                next = (time, source);
            }
        }
        next
    }

    fn pass(&mut self, to_ns: u64) {
        let passed = to_ns - self.now_ns;
        self.tally.present_ns += u128::from(passed) * u128::from(self.present);
        if self.at.is_some() {
            self.tally.server_ns += passed;
        }
        self.now_ns = to_ns;
    }

    fn happen(&mut self, source: Source) {
        match source {
            Source::Server => self.served(),
            // The server looks for itself.
            Source::Publisher => {}
            Source::Delivery => self.received(),
            Source::Worker => self.finished(),
            Source::Ack => self.ack_arrived(),
            Source::Pull => self.pull_arrived(),
            Source::Retry => self.retried(),
            Source::AckWait => self.ack_wait_over(),
            Source::Fate => self.fate(),
        }
    }

    /// Gives an idle server something to do.
    fn serve(&mut self) {
        if self.at.is_some() {
            return;
        }
        let half = self.settings.round_trip_ns / 2;
        let (now, due) = (self.now_ns, self.next_publish_ns as u64);
        let publish = || {
            let published_ns = due.saturating_sub(half);
            let message = Message { published_ns, stored_ns: 0, delivered_ns: 0, done_before: false };
            (due <= now).then_some(message)
        };
        let nodes = &self.nodes;
        let next = self.stream.next(|node| nodes[node.node as usize].id() == node, publish);
        if let Some((op, cost)) = next {
            if matches!(op, Op::Publish(_)) {
                self.draw_next_publish();
            }
            self.at = Some((now + cost, op));
        }
    }

    fn served(&mut self) {
        let (_, op) = self.at.take().expect("the server was at something until now");
        match op {
            Op::Publish(message) => {
                self.stream.stored(Message { stored_ns: self.now_ns, ..message });
                self.tally.published += 1;
                self.present += 1;
                self.stored += 1;
            }
            Op::Deliver(message, to) => {
                let delivered = Message { delivered_ns: self.now_ns, ..message };
                self.tally.redelivered += u64::from(message.delivered_ns > 0);
                self.tally.most_pending = self.tally.most_pending.max(self.stream.pending());
                self.deliveries.send(self.now_ns + self.settings.round_trip_ns / 2, (delivered, to));
            }
            Op::Ack(message) => {
                self.stream.acked();
                self.tally.acked += 1;
                self.tally.stay.record(self.now_ns - message.stored_ns);
                self.present -= 1;
                self.removed += 1;
            }
            Op::Pull(pull) => self.pull_looked_at(pull),
        }
    }

    fn pull_looked_at(&mut self, pull: Pull) {
        let node = &mut self.nodes[pull.from.node as usize];
        if node.id() != pull.from {
            return;
        }
        self.tally.pulls += 1;
        if self.stream.admit(pull) {
            self.tally.most_waiting = self.tally.most_waiting.max(self.stream.waiting());
        } else {
            self.tally.refused += 1;
            node.refused();
            let again = self.now_ns + self.settings.round_trip_ns / 2 + self.settings.retry_ns;
            self.retries.send(again, pull.from);
        }
    }

    fn received(&mut self) {
        let (message, to) = self.deliveries.arrive();
        let node = &mut self.nodes[to.node as usize];
        if node.id() == to {
            node.received(message);
            self.start(to.node);
            self.ask(to.node);
        } else {
            self.take_back(message, self.settings.ack_wait_ns);
        }
    }

    fn start(&mut self, node: u32) {
        let this = &mut self.nodes[node as usize];
        while let Some((worker, message)) = this.start() {
            self.tally.started += 1;
            self.tally.wait.record(self.now_ns - message.published_ns);
            let length = self.lengths.job_ns(self.settings.job) + self.settings.overhead_ns as u64;
            self.ends.push(Reverse((self.now_ns + length, node, this.id().epoch, worker)));
        }
    }

    fn finished(&mut self) {
        let Some(Reverse((_, node, epoch, worker))) = self.ends.pop() else { return };
        let this = &mut self.nodes[node as usize];
        if this.id().epoch != epoch {
            return;
        }
        let message = this.finish(worker);
        self.tally.repeated += u64::from(message.done_before);
        let sent_ns = self.now_ns + self.settings.ack_linger_ns;
        let ack = Ack { message, from: this.id(), sent_ns };
        self.acks.send(sent_ns + self.settings.round_trip_ns / 2, ack);
        self.start(node);
        self.ask(node);
    }

    pub(crate) fn ask(&mut self, node: u32) {
        if let Some(pull) = self.nodes[node as usize].ask(self.settings) {
            self.pulls.send(self.now_ns + self.settings.round_trip_ns / 2, pull);
        }
    }

    fn ack_arrived(&mut self) {
        let Ack { message, from, sent_ns } = self.acks.arrive();
        let node = &self.nodes[from.node as usize];
        let was_in_the_buffer = node.id() != from && node.crashed_ns < sent_ns;
        if was_in_the_buffer {
            self.take_back(Message { done_before: true, ..message }, self.settings.ack_wait_ns);
        } else {
            self.stream.ack_arrived(message);
        }
    }

    fn pull_arrived(&mut self) {
        let pull = self.pulls.arrive();
        self.stream.pull_arrived(pull);
    }

    fn retried(&mut self) {
        let from = self.retries.arrive();
        let node = &mut self.nodes[from.node as usize];
        if node.id() == from {
            node.may_ask_again();
            self.ask(from.node);
        }
    }

    fn draw_next_publish(&mut self) {
        self.next_publish_ns += self.arrivals.exponential(1e9 / self.settings.offered_per_s);
    }

    /// Published, or due to be, and not taken out. What the publishers hold back is told by their rate.
    fn behind(&self) -> u64 {
        let held_ns = (self.now_ns as f64 - self.next_publish_ns).max(0.0);
        self.present + (held_ns / 1e9 * self.settings.offered_per_s) as u64
    }
}
