//! One JetStream stream with its one consumer, as the nodes see it: a server that does one thing at a time.

use std::collections::VecDeque;

use crate::settings::{Costs, Settings};

/// A job, from its publisher to its ack.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message {
    /// When its publisher called.
    pub(crate) published_ns: u64,
    /// When the stream had it.
    pub(crate) stored_ns: u64,
    /// When the stream sent it last.
    pub(crate) delivered_ns: u64,
    /// Some node did it, and its ack was lost.
    pub(crate) done_before: bool,
}

/// A node as it was at some time: a crash makes it another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NodeRef {
    pub(crate) node: u32,
    pub(crate) epoch: u32,
}

/// A pull request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pull {
    pub(crate) from: NodeRef,
    /// Messages that it still waits for.
    pub(crate) wanted: usize,
}

/// What the server is at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Op {
    Publish(Message),
    Deliver(Message, NodeRef),
    Ack(Message),
    Pull(Pull),
}

/// What a server that is free takes up next: each kind in turn, so that none holds up another.
const KINDS: usize = 4;

/// The stream's state, at the server.
#[derive(Debug)]
pub(crate) struct Stream {
    costs: Costs,
    max_ack_pending: usize,
    max_waiting: usize,
    /// Arrived, not yet looked at.
    acks: VecDeque<Message>,
    pulls: VecDeque<Pull>,
    /// Stored, never delivered.
    backlog: VecDeque<Message>,
    /// Delivered before; nobody acked them in time. They go first, and are pending still.
    again: VecDeque<Message>,
    /// Requests in turns, as the server has them since 2.9: each gets one message and goes to the end. Those of nodes
    /// that have crashed are thrown away when their turn comes.
    waiting: VecDeque<Pull>,
    /// Those of `waiting` whose nodes are there.
    live: usize,
    /// Delivered and not acked.
    pending: usize,
    /// The kind that is looked at first.
    turn: usize,
}

impl Stream {
    pub(crate) fn new(settings: &Settings) -> Self {
        Stream {
            costs: settings.costs,
            max_ack_pending: settings.max_ack_pending,
            max_waiting: settings.max_waiting,
            acks: VecDeque::new(),
            pulls: VecDeque::new(),
            backlog: VecDeque::new(),
            again: VecDeque::new(),
            waiting: VecDeque::new(),
            live: 0,
            pending: 0,
            turn: 0,
        }
    }

    pub(crate) fn ack_arrived(&mut self, message: Message) {
        self.acks.push_back(message);
    }

    pub(crate) fn pull_arrived(&mut self, pull: Pull) {
        self.pulls.push_back(pull);
    }

    /// What the server does next, and for how long. `publish` gives the next message of the publishers, if one is due.
    pub(crate) fn next(
        &mut self,
        is_there: impl Fn(NodeRef) -> bool,
        mut publish: impl FnMut() -> Option<Message>,
    ) -> Option<(Op, u64)> {
        for offset in 0..KINDS {
            let kind = (self.turn + offset) % KINDS;
            let op = match kind {
                0 => self.acks.pop_front().map(Op::Ack),
                1 => self.pulls.pop_front().map(Op::Pull),
                2 => self.delivery(&is_there),
                _ => publish().map(Op::Publish),
            };
            if let Some(op) = op {
                self.turn = (kind + 1) % KINDS;
                return Some((op, self.cost_ns(op)));
            }
        }
        None
    }

    fn cost_ns(&self, op: Op) -> u64 {
        match op {
            Op::Publish(_) => self.costs.publish_ns,
            Op::Deliver(..) => self.costs.deliver_ns,
            Op::Ack(_) => self.costs.ack_ns,
            Op::Pull(_) => self.costs.pull_ns,
        }
    }

    /// A message and who gets it. A redelivery is pending already, so it goes whatever the limit.
    fn delivery(&mut self, is_there: impl Fn(NodeRef) -> bool) -> Option<Op> {
        let is_again = !self.again.is_empty();
        if !is_again && (self.backlog.is_empty() || self.pending >= self.max_ack_pending) {
            return None;
        }
        while let Some(mut pull) = self.waiting.pop_front() {
            if !is_there(pull.from) {
                continue;
            }
            pull.wanted -= 1;
            if pull.wanted > 0 {
                self.waiting.push_back(pull);
            } else {
                self.live -= 1;
            }
            let message = if is_again {
                self.again.pop_front()
            } else {
                self.pending += 1;
                self.backlog.pop_front()
            };
            return message.map(|message| Op::Deliver(message, pull.from));
        }
        None
    }

    pub(crate) fn stored(&mut self, message: Message) {
        self.backlog.push_back(message);
    }

    /// Whether the request may wait.
    pub(crate) fn admit(&mut self, pull: Pull) -> bool {
        let room = self.live < self.max_waiting;
        if room {
            self.live += 1;
            self.waiting.push_back(pull);
        }
        room
    }

    pub(crate) fn acked(&mut self) {
        self.pending -= 1;
    }

    pub(crate) fn expired(&mut self, message: Message) {
        self.again.push_back(message);
    }

    /// The connection of `node` is gone, and with it so many of its requests.
    pub(crate) fn forget(&mut self, node: NodeRef) {
        // Crashes are rare beside all else: a walk is cheap enough.
        self.live -= self.waiting.iter().filter(|pull| pull.from == node).count();
    }

    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    pub(crate) fn waiting(&self) -> usize {
        self.live
    }

    /// Stored and with nobody.
    pub(crate) fn backlog(&self) -> usize {
        self.backlog.len() + self.again.len()
    }

    /// Acks that have arrived and were not looked at.
    pub(crate) fn acks(&self) -> usize {
        self.acks.len()
    }
}
