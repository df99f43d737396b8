//! What a handler says of a job that it could not do.

use crate::codec::DecodeError;
use std::{any::Any, error::Error, fmt, time::Duration};

/// Why a job failed, and what is to become of it: another try, or the dead letters.
///
/// Any error makes one by `?`, and means another try; but for [`Poison`] and [`DecodeError`], which no try would mend.
/// Dropping it does nothing.
///
/// ```
/// use millpond_nats::{Failure, Poison};
///
/// fn parse(line: &str) -> Result<u32, Failure> {
///     if line.is_empty() {
///         return Err(Poison::new("there is nothing in it").into()); // to the dead letters
///     }
///     Ok(line.parse::<u32>()?) // another try
/// }
/// assert!(parse("").unwrap_err().is_poison() && !parse("x").unwrap_err().is_poison());
/// ```
// No `Error` itself: all that are one turn into it.
/// Said outright:
///
/// ```
/// use millpond_nats::Failure;
/// use std::time::Duration;
///
/// assert!(!Failure::retry("the disk is full").is_poison());
/// assert!(!Failure::retry_after("they ask for patience", Duration::from_secs(60)).is_poison());
/// assert!(Failure::poison("this is no picture").is_poison());
/// ```
pub struct Failure {
    pub(crate) verdict: Verdict,
    pub(crate) error: Box<dyn Error + Send + Sync>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Another try, after the consumer's backoff or this time.
    Retry(Option<Duration>),
    /// No try would mend it.
    Poison,
    /// The handler panicked: another try.
    Panicked,
}

impl Failure {
    /// Another try, after the consumer's [backoff](crate::ConsumerBuilder::backoff).
    pub fn retry(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure { verdict: Verdict::Retry(None), error: error.into() }
    }

    /// Another try, after so long.
    pub fn retry_after(error: impl Into<Box<dyn Error + Send + Sync>>, delay: Duration) -> Failure {
        Failure { verdict: Verdict::Retry(Some(delay)), error: error.into() }
    }

    /// No other try: the job goes to the dead letters.
    pub fn poison(error: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
        Failure { verdict: Verdict::Poison, error: error.into() }
    }

    /// The job goes to the dead letters, however few tries it has had.
    pub fn is_poison(&self) -> bool {
        self.verdict == Verdict::Poison
    }

    pub(crate) fn panicked(payload: &(dyn Any + Send)) -> Failure {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let error = format!("the handler panicked: {}", text.unwrap_or("with something that is no text"));
        Failure { verdict: Verdict::Panicked, error: error.into() }
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Failure {
        let as_any: &dyn Any = &error;
        let is_poison = as_any.is::<Poison>() || as_any.is::<DecodeError>();
        if is_poison { Failure::poison(error) } else { Failure::retry(error) }
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("verdict", &self.verdict).field("error", &self.error).finish()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        let mut source = self.error.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

/// An error that no other try would mend: the job goes to the dead letters at once.
///
/// ```
/// use millpond_nats::{Failure, Poison};
///
/// fn width(of: &str) -> Result<u32, Failure> {
///     let width = of.parse::<u32>().map_err(|error| Poison::new(format!("no width: {error}")))?;
///     Ok(width)
/// }
/// assert!(width("wide").unwrap_err().is_poison());
/// ```
#[derive(Clone, Debug)]
pub struct Poison(String);

impl Poison {
    /// With the reason, for the dead letter.
    pub fn new(reason: impl Into<String>) -> Poison {
        Poison(reason.into())
    }
}

impl fmt::Display for Poison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Poison {}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(error: impl Into<Failure>) -> Verdict {
        error.into().verdict
    }

    #[test]
    fn an_error_means_another_try_and_poison_none() {
        assert_eq!(tried(std::io::Error::other("away")), Verdict::Retry(None));
        assert_eq!(tried(Poison::new("no such account")), Verdict::Poison);
        let later = Failure::retry_after("busy", Duration::from_secs(3));
        assert_eq!(later.verdict, Verdict::Retry(Some(Duration::from_secs(3))));
    }

    #[test]
    fn the_text_has_the_sources_and_a_panic_its_message() {
        let source = std::io::Error::other(Poison::new("deep"));
        assert_eq!(Failure::retry(source).to_string(), "deep");
        assert_eq!(Failure::panicked(&"boom").to_string(), "the handler panicked: boom");
        assert_eq!(Failure::panicked(&String::from("bang")).to_string(), "the handler panicked: bang");
        assert_eq!(Failure::panicked(&7).verdict, Verdict::Panicked);
    }
}
