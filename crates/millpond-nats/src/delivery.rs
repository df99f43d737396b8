//! One message on its way through this process, and who decides what becomes of it.
//!
//! ```text
//! waiting ──► running ──► done, failed   the handler has come to its end
//!    │           │
//!    └───────────┴──────► given back     a stop, a cut-off or an abort came first
//! ```
//!
//! Each step is one compare-and-swap, for a stop may want to give back what a worker begins or ends at that moment. Whoever
//! makes the last step, and nobody else, answers to the server and counts.

use crate::reply::Receipted;
use async_nats::{Message, Subject};
use std::sync::{
    Arc,
    atomic::{
        AtomicU8,
        Ordering::{AcqRel, Acquire},
    },
};

/// Shared by the intake, which knows of it from its arrival to its end, and the job that runs it.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) message: Message,
    pub(crate) receipted: Receipted,
    state: AtomicU8,
}

/// Nobody has begun it: here, or in the pool's queue.
const WAITING: u8 = 0;
/// The handler has it.
const RUNNING: u8 = 1;
/// The handler is content.
const DONE: u8 = 2;
/// It is not.
const FAILED: u8 = 3;
/// It goes back to the server, for whoever takes it next.
const GIVEN_BACK: u8 = 4;

/// Where a delivery was when it was given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GivenBack {
    /// It had not begun.
    Waiting,
    /// The handler was at it.
    Running,
}

impl Delivery {
    /// `None`: it is no delivery of JetStream's.
    pub(crate) fn new(message: Message) -> Option<Arc<Delivery>> {
        let receipted = Receipted::parse(message.reply.as_ref()?)?;
        Some(Arc::new(Delivery { message, receipted, state: AtomicU8::new(WAITING) }))
    }

    /// Where the server expects the answer.
    pub(crate) fn reply(&self) -> Subject {
        self.message.reply.clone().expect("`new` has read it")
    }

    /// The handler begins. False: it has been given back.
    pub(crate) fn begin(&self) -> bool {
        self.step(WAITING, RUNNING)
    }

    /// The handler has come to its end. False: it has been given back meanwhile.
    pub(crate) fn end(&self, is_done: bool) -> bool {
        self.step(RUNNING, if is_done { DONE } else { FAILED })
    }

    /// `None`: it is not to be given back any more.
    pub(crate) fn give_back(&self) -> Option<GivenBack> {
        // In this order: what is not waiting any more may be running now, and never the other way round.
        self.give_back_unbegun().or_else(|| self.step(RUNNING, GIVEN_BACK).then_some(GivenBack::Running))
    }

    /// `None`: the handler has begun, or it has been given back before.
    pub(crate) fn give_back_unbegun(&self) -> Option<GivenBack> {
        self.step(WAITING, GIVEN_BACK).then_some(GivenBack::Waiting)
    }

    /// Nobody has anything to do with it any more but to answer.
    pub(crate) fn is_over(&self) -> bool {
        self.state.load(Acquire) >= DONE
    }

    /// The handler was content.
    pub(crate) fn is_done(&self) -> bool {
        self.state.load(Acquire) == DONE
    }

    fn step(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, AcqRel, Acquire).is_ok()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// As the server delivers it.
    pub(crate) fn delivery(sequence: u64, attempt: u64) -> Arc<Delivery> {
        let reply = format!("$JS.ACK.JOBS.workers.{attempt}.{sequence}.7.1790230470084404000.42");
        Delivery::new(message(Some(reply))).expect("a delivery")
    }

    pub(crate) fn message(reply: Option<String>) -> Message {
        Message {
            subject: "jobs.a".into(),
            reply: reply.map(Subject::from),
            payload: "payload".into(),
            headers: None,
            status: None,
            description: None,
            length: 0,
        }
    }

    #[test]
    fn a_handler_begins_and_ends_once() {
        let delivery = delivery(1, 1);
        assert!(!delivery.end(true) && !delivery.is_over());
        assert!(delivery.begin() && !delivery.begin());
        assert!(delivery.end(true) && !delivery.end(true) && delivery.is_over() && delivery.is_done());
        assert_eq!(delivery.give_back(), None);
        let delivery = self::delivery(2, 1);
        assert!(delivery.begin() && delivery.end(false) && delivery.is_over() && !delivery.is_done());
    }

    #[test]
    fn what_is_given_back_neither_begins_nor_ends() {
        let waiting = delivery(1, 1);
        assert_eq!(waiting.give_back(), Some(GivenBack::Waiting));
        assert!(!waiting.begin() && !waiting.end(true) && waiting.is_over() && !waiting.is_done());
        let running = delivery(2, 1);
        assert!(running.begin());
        assert_eq!(running.give_back_unbegun(), None);
        assert_eq!(running.give_back(), Some(GivenBack::Running));
        assert!(!running.end(true) && running.give_back().is_none());
    }

    #[test]
    fn a_message_that_nobody_waits_for_an_answer_to_is_none() {
        assert!(Delivery::new(message(None)).is_none());
        assert!(Delivery::new(message(Some("_INBOX.1".to_owned()))).is_none());
    }
}
