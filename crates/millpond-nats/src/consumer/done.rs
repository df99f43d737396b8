//! What a consumer has done, in case it is delivered once more.
//!
//! The server learns of an ack a moment after the effect, and writes it down some time later. A connection that breaks loses
//! the acks on their way; a server that is killed wakes up without those that it had not written, and then takes the messages
//! for new ones. Who did them knows better.

/// The newest messages of the stream that are remembered: a bit for each, half a MiB. At 200,000 a second they are those of 20
/// seconds, and a server writes its state down several times in one.
const WINDOW: u64 = 4 * 1024 * 1024;

const BITS: u64 = u64::BITS as u64;

/// A bit for each of the newest sequences, the intake's.
#[derive(Debug)]
pub(super) struct Done {
    /// Of the sequences from `newest - WINDOW` on, each at its remainder.
    words: Box<[u64]>,
    newest: u64,
}

impl Done {
    pub(super) fn new() -> Done {
        // Zeroed pages of the system's, which take no memory before they are written.
        Done { words: vec![0; (WINDOW / BITS) as usize].into(), newest: 0 }
    }

    /// The handler was content with this one.
    pub(super) fn insert(&mut self, sequence: u64) {
        if sequence > self.newest {
            self.forget_up_to(sequence);
        } else if self.newest - sequence >= WINDOW {
            return;
        }
        let (word, bit) = place(sequence);
        self.words[word] |= bit;
    }

    pub(super) fn contains(&self, sequence: u64) -> bool {
        let (word, bit) = place(sequence);
        sequence <= self.newest && self.newest - sequence < WINDOW && self.words[word] & bit != 0
    }

    /// Moves the window on.
    fn forget_up_to(&mut self, newest: u64) {
        if newest - self.newest >= WINDOW {
            self.words.fill(0);
        } else {
            for sequence in self.newest + 1..=newest {
                let (word, bit) = place(sequence);
                self.words[word] &= !bit;
            }
        }
        self.newest = newest;
    }
}

fn place(sequence: u64) -> (usize, u64) {
    let index = sequence % WINDOW;
    ((index / BITS) as usize, 1 << (index % BITS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_of_late_is_remembered_and_nothing_else() {
        let mut done = Done::new();
        assert!(!done.contains(0) && !done.contains(1));
        for sequence in [7, 3, 5, WINDOW + 2] {
            done.insert(sequence);
        }
        let known: Vec<u64> = (0..=WINDOW + 100).filter(|sequence| done.contains(*sequence)).collect();
        assert_eq!(known, [3, 5, 7, WINDOW + 2]);
        done.insert(WINDOW + 3);
        assert!(!done.contains(3) && done.contains(5));
        done.insert(2);
        assert!(!done.contains(2), "too old");
        done.insert(10 * WINDOW);
        assert!(!done.contains(WINDOW + 2) && !done.contains(9 * WINDOW + 2) && done.contains(10 * WINDOW));
    }
}
