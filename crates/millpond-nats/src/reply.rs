//! The subject that a delivery is answered to, in which the server has written what it knows of it.

/// What an answer's subject tells, in the form of server 2.0 and later (nine tokens) or that of ADR-15 (eleven or more).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipted {
    /// The message's place in its stream.
    pub(crate) sequence: u64,
    /// How often it has been delivered, this time included.
    pub(crate) attempt: u64,
}

/// `$JS.ACK.STREAM.CONSUMER.ATTEMPT.SEQUENCE.CONSUMER-SEQUENCE.TIME.PENDING`, or with domain and account before the stream.
const TOKENS_BEFORE_STREAM: (usize, usize) = (2, 4);

/// In the shorter form.
const TOKENS: usize = 9;

impl Receipted {
    /// `None`: it is none of JetStream's.
    pub(crate) fn parse(reply: &str) -> Option<Receipted> {
        if !reply.starts_with("$JS.ACK.") {
            return None;
        }
        let is_long = reply.split('.').nth(TOKENS).is_some();
        let before = if is_long { TOKENS_BEFORE_STREAM.1 } else { TOKENS_BEFORE_STREAM.0 };
        // Past the names of stream and consumer.
        let mut tokens = reply.split('.').skip(before + 2);
        let attempt = tokens.next()?.parse().ok()?;
        let sequence = tokens.next()?.parse().ok()?;
        Some(Receipted { sequence, attempt })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let expected = Some(Receipted { sequence: 100, attempt: 3 });
        assert_eq!(Receipted::parse("$JS.ACK.JOBS.workers.3.100.7.1790230470084404000.42"), expected);
        assert_eq!(Receipted::parse("$JS.ACK._.aBc.JOBS.workers.3.100.7.1790230470084404000.42"), expected);
        assert_eq!(Receipted::parse("$JS.ACK.hub.aBc.JOBS.workers.3.100.7.17902304700844040.42.r"), expected);
    }

    #[test]
    fn what_is_none_is_told() {
        for reply in ["", "_INBOX.7", "$JS.ACK.JOBS.workers", "$JS.ACK.JOBS.workers.x.100.7.1.2"] {
            assert_eq!(Receipted::parse(reply), None, "{reply}");
        }
    }
}
