//! The part of a file that a request is about: `Range: bytes=…`.

use std::ops::Range;

/// What to send of a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    /// These bytes, of which there is one at least.
    Bytes(Range<u64>),
    /// It asks for bytes that are not there.
    Beyond,
}

impl Part {
    /// Of a file of `len` bytes. What is not understood, and a list of several ranges, is answered with the whole file,
    /// as RFC 9110 allows: of a list nobody has need but those who send many to cost the server much.
    pub(crate) fn of(range: &[u8], len: u64) -> Self {
        match std::str::from_utf8(range).ok().and_then(parse) {
            None => Part::Whole,
            Some((Some(first), last)) if first < len => {
                Part::Bytes(first..last.map_or(len, |last| last.saturating_add(1).min(len)))
            }
            Some((None, Some(count))) if count > 0 && len > 0 => Part::Bytes(len - count.min(len)..len),
            Some(_) => Part::Beyond,
        }
    }
}

/// First and last byte; without a first one, how many from the end.
fn parse(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    let is_range = match (first, last) {
        (Some(first), Some(last)) => first <= last,
        (first, last) => first.or(last).is_some(),
    };
    (unit.eq_ignore_ascii_case("bytes") && is_range).then_some((first, last))
}

/// `Some(None)` for nothing at all. One too large for 64 bits is beyond the end of any file, and as good as the largest.
fn number(digits: &str) -> Option<Option<u64>> {
    if digits.is_empty() {
        return Some(None);
    }
    let all_are = digits.bytes().all(|byte| byte.is_ascii_digit());
    all_are.then(|| Some(digits.parse().unwrap_or(u64::MAX)))
}
