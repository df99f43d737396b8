//! A buffer to read into.

use std::ops::Range;

/// Where in memory a buffer starts: on a page, as what is read does in the kernel. An AMD Zen 4 takes 1.7 times as long to
/// copy to 16 bytes beyond, which is where `malloc` puts large blocks.
const ALIGN_BYTES: usize = 4096;

/// Memory that starts on a page. Not touched before it is used.
#[derive(Debug)]
pub(crate) struct Buffer {
    /// For a ring, which takes it and gives it back. Initialised up to `start` at least.
    pub(crate) bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Buffer {
    pub(crate) fn new(len: usize) -> Self {
        let mut bytes = Vec::<u8>::with_capacity(len + ALIGN_BYTES);
        let start = bytes.as_ptr().align_offset(ALIGN_BYTES);
        bytes.resize(start, 0);
        Buffer { bytes, start, len }
    }

    /// Where in `bytes` to read to.
    pub(crate) fn range(&self) -> Range<usize> {
        self.start..self.start + self.len
    }

    /// The bytes without what the last read has put there, for the next one.
    pub(crate) fn take_bytes(&mut self) -> Vec<u8> {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.truncate(self.start);
        bytes
    }

    /// What a read by a ring has put there.
    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// All of it, for a read by a system call.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        let range = self.range();
        if self.bytes.len() < range.end {
            self.bytes.resize(range.end, 0);
        }
        &mut self.bytes[range]
    }
}
