//! The subject that a delivery is answered to, in which the server has written what it knows of it.

/// What an answer's subject tells, in the form of server 2.0 and later (nine tokens) or that of ADR-15 (eleven or more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipted {
    /// The message's place in its stream.
    pub(crate) sequence: u64,
    /// How often it has been delivered, this time included.
    pub(crate) attempt: u64,
    /// When the stream took it, in nanoseconds. A stream that was made anew, or that lost what it had not written yet, gives a
    /// sequence once more; with this a message is told from the one that had it before.
    pub(crate) stored_ns: u64,
}

/// Dots in the shorter form, `$JS.ACK.STREAM.CONSUMER.ATTEMPT.SEQUENCE.CONSUMER-SEQUENCE.TIME.PENDING`.
const DOTS: usize = 8;

/// What the longer form has before the stream: the domain and the account.
const MORE: usize = 2;

/// Those before the attempt, in the shorter form.
const BEFORE_ATTEMPT: usize = 4;

impl Receipted {
    /// `None`: it is none of JetStream's.
    pub(crate) fn parse(reply: &str) -> Option<Receipted> {
        let bytes = reply.as_bytes();
        if !bytes.starts_with(b"$JS.ACK.") {
            return None;
        }
        // By bytes and not by `split`: it is done for each message, and tokens are short.
        let dots = bytes.iter().filter(|byte| **byte == b'.').count();
        let before = BEFORE_ATTEMPT + if dots > DOTS { MORE } else { 0 };
        let mut seen = 0;
        let from = bytes.iter().position(|byte| {
            seen += usize::from(*byte == b'.');
            seen == before
        })?;
        let (attempt, rest) = number(&bytes[from + 1..])?;
        let (sequence, rest) = number(rest)?;
        let (_of_consumer, rest) = number(rest)?;
        let (stored_ns, _) = number(rest)?;
        Some(Receipted { sequence, attempt, stored_ns })
    }

    /// The same message, be it another delivery of it.
    pub(crate) fn is_same_message(&self, other: &Receipted) -> bool {
        (self.sequence, self.stored_ns) == (other.sequence, other.stored_ns)
    }
}

/// A number up to a dot, and what is behind that.
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().position(|byte| *byte == b'.')?;
    let digits = std::str::from_utf8(&bytes[..end]).ok()?;
    Some((digits.parse().ok()?, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let expected = Some(Receipted { sequence: 100, attempt: 3, stored_ns: 1_790_230_470_084_404_000 });
        assert_eq!(Receipted::parse("$JS.ACK.JOBS.workers.3.100.7.1790230470084404000.42"), expected);
        assert_eq!(Receipted::parse("$JS.ACK._.aBc.JOBS.workers.3.100.7.1790230470084404000.42"), expected);
        assert_eq!(
            Receipted::parse("$JS.ACK.hub.aBc.JOBS.workers.3.100.7.1790230470084404000.42.r"),
            expected
        );
    }

    #[test]
    fn what_is_none_is_told() {
        for reply in ["", "_INBOX.7", "$JS.ACK.JOBS.workers", "$JS.ACK.JOBS.workers.x.100.7.1.2"] {
            assert_eq!(Receipted::parse(reply), None, "{reply}");
        }
    }
}
