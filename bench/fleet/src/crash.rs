//! What goes wrong in a simulation: nodes that crash, what they held, and when it comes back.

use std::cmp::Reverse;

use crate::node::Node;
use crate::simulation::Simulation;
use crate::stream::{Message, Op};

/// A consumer reports each held message three times in an `ack_wait`: that long it is known to be worked on.
const PROGRESS_PER_ACK_WAIT: u64 = 3;

impl Simulation<'_> {
    /// The stream will deliver `message` again, so long after it was delivered.
    pub(crate) fn take_back(&mut self, message: Message, after_ns: u64) {
        let Message { published_ns, stored_ns, delivered_ns, done_before } = message;
        let at = (delivered_ns + after_ns).max(self.now_ns);
        self.lost.push(Reverse((at, (published_ns, stored_ns, delivered_ns, done_before))));
    }

    pub(crate) fn ack_wait_over(&mut self) {
        if let Some(Reverse((_, (published_ns, stored_ns, delivered_ns, done_before)))) = self.lost.pop() {
            self.stream.expired(Message { published_ns, stored_ns, delivered_ns, done_before });
        }
    }

    pub(crate) fn fate(&mut self) {
        let Some(Reverse((_, node, is_up))) = self.fates.pop() else { return };
        if is_up {
            self.nodes[node as usize].restart();
            self.draw_crash(node);
            self.ask(node);
        } else {
            self.crash(node);
        }
    }

    fn crash(&mut self, node: u32) {
        let this = &mut self.nodes[node as usize];
        self.stream.forget(this.id());
        self.tally.crashes += 1;
        let had = this.crash(self.now_ns);
        for message in had {
            // `ack_wait` runs from the last word of progress.
            let every = (self.settings.ack_wait_ns / PROGRESS_PER_ACK_WAIT).max(1);
            let last = (self.now_ns - message.delivered_ns) / every * every;
            self.take_back(message, last + self.settings.ack_wait_ns);
        }
        self.fates.push(Reverse((self.now_ns + self.settings.restart_ns, node, true)));
    }

    pub(crate) fn draw_crash(&mut self, node: u32) {
        if let Some(between) = self.settings.between_crashes_ns {
            let at = self.now_ns + self.crashes.exponential(between) as u64;
            self.fates.push(Reverse((at, node, false)));
        }
    }

    /// Each job that was stored and not removed is in exactly one place.
    pub(crate) fn nothing_is_lost(&self) {
        let at_the_server = match self.at {
            Some((_, Op::Deliver(..) | Op::Ack(_))) => 1,
            _ => 0,
        };
        let at_nodes: usize = self.nodes.iter().map(Node::at_hand).sum();
        let on_the_way = self.deliveries.len() + self.acks.len() + self.stream.acks();
        let found = self.stream.backlog() + at_the_server + at_nodes + on_the_way + self.lost.len();
        assert_eq!(self.stored, self.removed + found as u64, "a job was lost, or is in two places");
    }
}
