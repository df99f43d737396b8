//! Those who wait until all that was given before is answered.

use super::receipt::{Outcome, PublishReceipt};
use tokio::sync::oneshot;

#[derive(Debug, Default)]
pub(super) struct Flushes {
    /// Goes up with each flush: a message belongs to the era in which it was given, and to the flushes that came after.
    era: u64,
    waiting: Vec<Flush>,
}

#[derive(Debug)]
struct Flush {
    /// The last one whose messages it waits for.
    era: u64,
    /// How many of them are without an answer.
    remaining: usize,
    /// What became of the others.
    receipt: PublishReceipt,
    answer: oneshot::Sender<PublishReceipt>,
}

/// A flush whose messages are all answered, and its receipt.
pub(super) type Flushed = (oneshot::Sender<PublishReceipt>, PublishReceipt);

impl Flushes {
    pub(super) fn era(&self) -> u64 {
        self.era
    }

    /// Waits for these many messages that are in flight, which is not 0.
    pub(super) fn begin(
        &mut self,
        in_flight: usize,
        so_far: PublishReceipt,
    ) -> oneshot::Receiver<PublishReceipt> {
        let (answer, answered) = oneshot::channel();
        self.waiting.push(Flush { era: self.era, remaining: in_flight, receipt: so_far, answer });
        self.era += 1;
        answered
    }

    /// A message of that era has ended; without an outcome it is as if it had never been given.
    pub(super) fn tell(&mut self, era: u64, outcome: Option<Outcome>, flushed: &mut Vec<Flushed>) {
        for flush in self.waiting.iter_mut().filter(|flush| era <= flush.era) {
            flush.remaining -= 1;
            outcome.into_iter().for_each(|outcome| flush.receipt.count(outcome));
        }
        let done = self.waiting.extract_if(.., |flush| flush.remaining == 0);
        flushed.extend(done.map(|flush| (flush.answer, flush.receipt)));
    }
}

#[cfg(test)]
mod tests {
    use super::{Flushed, Flushes, Outcome, PublishReceipt};

    fn receipts(flushed: &mut Vec<Flushed>) -> Vec<PublishReceipt> {
        flushed.drain(..).map(|(_, receipt)| receipt).collect()
    }

    #[test]
    fn a_flush_waits_for_what_was_given_before_it_and_for_no_more() {
        let (mut flushes, mut flushed) = (Flushes::default(), Vec::new());
        let before = flushes.era();
        let _first = flushes.begin(2, PublishReceipt { published: 5, ..PublishReceipt::default() });
        let between = flushes.era();
        let _second = flushes.begin(3, PublishReceipt { published: 5, ..PublishReceipt::default() });
        let after = flushes.era();

        flushes.tell(after, Some(Outcome::Published), &mut flushed);
        flushes.tell(between, Some(Outcome::Duplicate), &mut flushed);
        flushes.tell(before, Some(Outcome::Failed), &mut flushed);
        assert_eq!(receipts(&mut flushed), []);

        flushes.tell(before, None, &mut flushed);
        let expected = [
            PublishReceipt { published: 5, duplicates: 0, failed: 1 },
            PublishReceipt { published: 5, duplicates: 1, failed: 1 },
        ];
        assert_eq!(receipts(&mut flushed), expected);
    }
}
