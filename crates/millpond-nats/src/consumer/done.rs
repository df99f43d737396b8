//! What a consumer has done, in case it is delivered once more.
//!
//! The server learns of an ack a moment after the effect, and writes it down some time later. A connection that breaks loses
//! the acks on their way; a server that is killed wakes up without those that it had not written, and then takes the messages
//! for new ones. Who did them knows better.
//!
//! A sequence alone is no name of a message: a stream that is made anew counts from one again, and a server that lost its last
//! messages gives their sequences to others. To take such a one for done would lose it. So a tag is kept for each, made of the
//! time at which the stream took the message.

use crate::reply::Receipted;

/// The newest messages of the stream that are remembered: four bytes for each, 8 MiB once so many have been done. At 200,000 a
/// second they are those of 10 seconds, and a server writes its state down several times in one.
const WINDOW: u64 = 2 * 1024 * 1024;

/// A tag of each of the newest sequences, the intake's.
#[derive(Debug)]
pub(super) struct Done {
    /// Of the sequences from `newest - WINDOW` on, each at its remainder. 0: not done.
    tags: Box<[u32]>,
    newest: u64,
}

impl Done {
    pub(super) fn new() -> Done {
        Done { tags: none(), newest: 0 }
    }

    /// The handler was content with this one.
    pub(super) fn insert(&mut self, message: &Receipted) {
        let sequence = message.sequence;
        if sequence > self.newest {
            self.forget_up_to(sequence);
        } else if self.newest - sequence >= WINDOW {
            return;
        }
        self.tags[place(sequence)] = tag(message);
    }

    pub(super) fn contains(&self, message: &Receipted) -> bool {
        let sequence = message.sequence;
        sequence <= self.newest
            && self.newest - sequence < WINDOW
            && self.tags[place(sequence)] == tag(message)
    }

    /// Moves the window on.
    fn forget_up_to(&mut self, newest: u64) {
        if newest - self.newest >= WINDOW {
            self.tags = none();
        } else {
            (self.newest + 1..=newest).for_each(|sequence| self.tags[place(sequence)] = 0);
        }
        self.newest = newest;
    }
}

/// Zeroed pages of the system's, which take no memory before they are written.
fn none() -> Box<[u32]> {
    vec![0; WINDOW as usize].into()
}

fn place(sequence: u64) -> usize {
    (sequence % WINDOW) as usize
}

/// Two times have the same in one of four thousand million cases.
fn tag(message: &Receipted) -> u32 {
    // The odd number nearest to the golden section of 2^64 spreads what differs in few bits over the upper half.
    let spread = message.stored_ns.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (spread as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(sequence: u64) -> Receipted {
        Receipted { sequence, attempt: 1, stored_ns: 1_790_230_470_084_404_000 + sequence }
    }

    #[test]
    fn what_was_done_of_late_is_remembered_and_nothing_else() {
        let mut done = Done::new();
        assert!(!done.contains(&message(0)) && !done.contains(&message(1)));
        for sequence in [7, 3, 5, WINDOW + 2] {
            done.insert(&message(sequence));
        }
        let known: Vec<u64> =
            (0..=WINDOW + 100).filter(|sequence| done.contains(&message(*sequence))).collect();
        assert_eq!(known, [3, 5, 7, WINDOW + 2]);
        done.insert(&message(WINDOW + 3));
        assert!(!done.contains(&message(3)) && done.contains(&message(5)));
        done.insert(&message(2));
        assert!(!done.contains(&message(2)), "too old");
        done.insert(&message(10 * WINDOW));
        assert!(!done.contains(&message(WINDOW + 2)) && !done.contains(&message(9 * WINDOW + 2)));
        assert!(done.contains(&message(10 * WINDOW)));
    }

    #[test]
    fn another_message_of_the_same_sequence_is_not_done() {
        let mut done = Done::new();
        done.insert(&message(7));
        let another = Receipted { stored_ns: message(7).stored_ns + 1, ..message(7) };
        assert!(done.contains(&message(7)) && !done.contains(&another));
        done.insert(&another);
        assert!(!done.contains(&message(7)) && done.contains(&another));
    }
}
