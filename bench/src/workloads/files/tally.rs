//! What was read.

use std::ops::AddAssign;

use blake3::Hash;

/// A file that is left out, read twice, cut short or read wrongly shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
    /// Of the first words of all hashes: it doesn't depend on the order.
    pub(crate) sum: u64,
}

impl Tally {
    pub(crate) fn of_file(bytes: u64, hash: Hash) -> Self {
        let (word, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
        Tally { files: 1, bytes, sum: u64::from_le_bytes(*word) }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}
