//! What a job knows of its wait before it starts: when it was accepted, if that is known, and its deadline, if it has one.
//!
//! It lies in the place of the home, which such a job has not got yet, so it takes no room in the cell. In one word: a stamp
//! fits in, and few jobs have a deadline, so that goes into a box.

use crate::metrics::Stamp;
use std::{
    ptr::{null_mut, without_provenance_mut},
    time::Instant,
};

/// Set in what is of this file. The alignment of a home leaves the bit free, and one below it, which is the home's own.
const WAITING: usize = 2;
/// Set beside it in a stamp, and clear in the pointer to a box. No bit at the top of a word would do: a program of 32 bits has
/// addresses with the first bit set.
const STAMPED: usize = 1;
const MARKS: usize = WAITING | STAMPED;
/// In a stamp, above the marks: the jobs that it speaks for, less one. 128 at most, so 7 bits.
const JOBS_SHIFT: u32 = 2;
const JOBS_BITS: u32 = 7;
/// Above them the time, in units that fit the rest: of 8 ns, good for 9 years, or where a pointer has 32 bits of 67 ms, good for
/// 6 days.
const TIME_SHIFT: u32 = JOBS_SHIFT + JOBS_BITS;
const TIME_UNIT_BITS: u32 = if usize::BITS == 64 { 3 } else { 26 };

/// A job's wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) deadline: Option<Instant>,
}

/// Whether the word is of this file, and not a home.
#[inline]
pub(super) fn is_one<R>(word: *mut R) -> bool {
    word.addr() & WAITING != 0
}

fn is_boxed<R>(word: *mut R) -> bool {
    word.addr() & MARKS == WAITING
}

impl Waiting {
    /// As a word, null if nothing is known. Whoever keeps it owns what it stands for, until `from_word`.
    pub(super) fn into_word<R>(self) -> *mut R {
        const { assert!(align_of::<Waiting>() > MARKS && align_of::<R>() > MARKS) };
        match self {
            Waiting { stamp: None, deadline: None } => null_mut(),
            Waiting { stamp: Some(stamp), deadline: None } => without_provenance_mut(stamped(stamp)),
            _ => Box::into_raw(Box::new(self)).map_addr(|address| address | WAITING).cast(),
        }
    }

    /// # Safety
    /// The word is null, or comes from `into_word` and is not used again.
    #[inline]
    pub(super) unsafe fn from_word<R>(word: *mut R) -> Waiting {
        if is_boxed(word) {
            // SAFETY: by the contract it is the box that `into_word` made, of which this takes the mark away.
            return *unsafe { Box::from_raw(word.map_addr(|address| address & !MARKS).cast()) };
        }
        Waiting { stamp: stamp(word.addr()), deadline: None }
    }
}

fn stamped(stamp: Stamp) -> usize {
    let jobs = (stamp.jobs - 1) as usize & ((1 << JOBS_BITS) - 1);
    let time = (stamp.at_ns >> TIME_UNIT_BITS) as usize;
    MARKS | time << TIME_SHIFT | jobs << JOBS_SHIFT
}

fn stamp(word: usize) -> Option<Stamp> {
    let jobs = word >> JOBS_SHIFT & ((1 << JOBS_BITS) - 1);
    let time = word >> TIME_SHIFT;
    let stamp = Stamp { at_ns: (time as u64) << TIME_UNIT_BITS, jobs: jobs as u64 + 1 };
    (word & MARKS == MARKS).then_some(stamp)
}

#[cfg(all(test, not(any(millpond_loom, millpond_shuttle))))]
mod tests {
    use super::*;
    use crate::metrics::MOST_JOBS_PER_STAMP;

    #[test]
    fn an_address_is_none_wherever_it_is() {
        for address in [0, 64, 1 << (usize::BITS - 1), usize::MAX & !63] {
            // With the home's own mark, and without.
            for word in [address, address | 1] {
                assert!(!is_one(without_provenance_mut::<u64>(word)), "{word:#x}");
            }
        }
    }

    #[test]
    fn what_a_word_was_made_of_comes_back() {
        assert_eq!(MOST_JOBS_PER_STAMP, 1 << JOBS_BITS);
        let (short, long) =
            (Stamp { at_ns: 8, jobs: 1 }, Stamp { at_ns: 1 << 57, jobs: MOST_JOBS_PER_STAMP });
        for stamp in [None, Some(short), Some(long)] {
            for deadline in [None, Some(crate::sync::now())] {
                let waiting = Waiting { stamp, deadline };
                let word: *mut u64 = waiting.into_word();
                assert_eq!(is_one(word), waiting != Waiting::default());
                // SAFETY: just made, and not used again.
                assert_eq!(unsafe { Waiting::from_word(word) }, waiting);
            }
        }
    }
}
