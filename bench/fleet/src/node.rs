//! One node: a process with a pool of workers, and a consumer that keeps it supplied.

use std::collections::VecDeque;

use crate::settings::Settings;
use crate::stream::{Message, NodeRef, Pull};

/// The node's state. A crash empties it.
#[derive(Debug)]
pub(crate) struct Node {
    id: NodeRef,
    is_up: bool,
    /// The last crash.
    pub(crate) crashed_ns: u64,
    queued: VecDeque<Message>,
    /// What each worker is at.
    running: Vec<Option<Message>>,
    idle: Vec<u16>,
    /// Asked for and not yet here.
    asked: usize,
    /// A request was refused, and it will ask again at a set time.
    is_refused: bool,
}

impl Node {
    pub(crate) fn new(node: u32, workers: usize) -> Self {
        Node {
            id: NodeRef { node, epoch: 0 },
            is_up: true,
            crashed_ns: 0,
            queued: VecDeque::new(),
            running: vec![None; workers],
            idle: (0..workers as u16).collect(),
            asked: 0,
            is_refused: false,
        }
    }

    pub(crate) fn id(&self) -> NodeRef {
        self.id
    }

    /// A request for the room that is not asked for yet, if that is enough to ask.
    pub(crate) fn ask(&mut self, settings: &Settings) -> Option<Pull> {
        let to_queue = settings.prefetch().saturating_sub(self.queued.len());
        let to_hold = settings.max_in_flight.saturating_sub(self.at_hand());
        let room = to_queue.min(to_hold).saturating_sub(self.asked);
        if !self.is_up || self.is_refused || room < settings.ask_from() {
            return None;
        }
        self.asked += room;
        Some(Pull { from: self.id, wanted: room })
    }

    /// The server does not say which request it refused, so none is taken to be there.
    pub(crate) fn refused(&mut self) {
        self.asked = 0;
        self.is_refused = true;
    }

    pub(crate) fn may_ask_again(&mut self) {
        self.is_refused = false;
    }

    pub(crate) fn received(&mut self, message: Message) {
        self.asked = self.asked.saturating_sub(1);
        self.queued.push_back(message);
    }

    /// Puts a queued message to an idle worker, if there are both.
    pub(crate) fn start(&mut self) -> Option<(u16, Message)> {
        if self.queued.is_empty() {
            return None;
        }
        let worker = self.idle.pop()?;
        let message = self.queued.pop_front()?;
        self.running[usize::from(worker)] = Some(message);
        Some((worker, message))
    }

    pub(crate) fn finish(&mut self, worker: u16) -> Message {
        self.idle.push(worker);
        self.running[usize::from(worker)].take().expect("its worker was at it until now")
    }

    /// Down, with all that it had: what was queued and what ran.
    pub(crate) fn crash(&mut self, now_ns: u64) -> Vec<Message> {
        self.is_up = false;
        self.crashed_ns = now_ns;
        self.id.epoch += 1;
        self.asked = 0;
        self.is_refused = false;
        self.idle = (0..self.running.len() as u16).collect();
        let running = self.running.iter_mut().filter_map(Option::take);
        self.queued.drain(..).chain(running).collect()
    }

    pub(crate) fn restart(&mut self) {
        self.is_up = true;
    }

    pub(crate) fn at_hand(&self) -> usize {
        self.queued.len() + self.busy()
    }

    fn busy(&self) -> usize {
        self.running.len() - self.idle.len()
    }
}
