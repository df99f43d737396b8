//! What tells one state of a file from another, and the requests that depend on it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, StatusCode};

use crate::folder::Content;

/// The year 10000, which HTTP cannot write.
const END_S: u64 = 253_402_300_800;

/// Tag and date of a file.
#[derive(Debug)]
pub(crate) struct Validators {
    /// Of the time of its last change, to the nanosecond, and its length.
    tag: HeaderValue,
    /// In whole seconds, as HTTP has them. `None` for a time in the future, too, which proves nothing.
    modified: Option<SystemTime>,
}

impl Validators {
    pub(crate) fn of(content: &Content) -> Self {
        let since = content.modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let nanos = since.map_or(0, |since| since.as_nanos());
        let tag = HeaderValue::from_str(&format!("\"{nanos:x}-{:x}\"", content.len));
        let whole = since.filter(|since| since.as_secs() < END_S).map(|since| at(since.as_secs()));
        Self {
            tag: tag.unwrap_or_else(|_| unreachable!("hexadecimal digits are fit for a header")),
            modified: whole.filter(|&time| time <= SystemTime::now()),
        }
    }

    /// Says them to the client.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(header::ETAG, self.tag.clone());
        let date = self.modified.map(httpdate::fmt_http_date);
        if let Some(date) = date.and_then(|date| HeaderValue::try_from(date).ok()) {
            headers.insert(header::LAST_MODIFIED, date);
        }
    }

    /// The status that ends the request before anything is sent, in the order of RFC 9110, 13.2.2.
    pub(crate) fn judge<B>(&self, request: &Request<B>) -> Option<StatusCode> {
        let headers = request.headers();
        let failed = match headers.contains_key(header::IF_MATCH) {
            true => !self.is_in(headers, header::IF_MATCH, Self::is_strongly),
            false => {
                self.date(headers, header::IF_UNMODIFIED_SINCE).is_some_and(|(own, theirs)| own > theirs)
            }
        };
        if failed {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
        let known = match headers.contains_key(header::IF_NONE_MATCH) {
            true => self.is_in(headers, header::IF_NONE_MATCH, Self::is_weakly),
            false => self.date(headers, header::IF_MODIFIED_SINCE).is_some_and(|(own, theirs)| own <= theirs),
        };
        known.then_some(StatusCode::NOT_MODIFIED)
    }

    /// Whether a part may be sent: the client has the rest of this very state, or does not ask.
    pub(crate) fn may_be_parted(&self, headers: &HeaderMap) -> bool {
        let Some(has) = headers.get(header::IF_RANGE) else { return true };
        let is_date = || self.date(headers, header::IF_RANGE).is_some_and(|(own, theirs)| own == theirs);
        self.is_strongly(has.as_bytes()) || is_date()
    }

    /// Whether one of the tags in a list, or `*`, is this one.
    fn is_in(&self, headers: &HeaderMap, name: HeaderName, is: fn(&Self, &[u8]) -> bool) -> bool {
        let lists = headers.get_all(name);
        let mut tags = lists.iter().flat_map(|list| list.as_bytes().split(|&byte| byte == b','));
        tags.any(|tag| tag.trim_ascii() == b"*" || is(self, tag.trim_ascii()))
    }

    fn is_strongly(&self, tag: &[u8]) -> bool {
        self.tag.as_bytes() == tag
    }

    fn is_weakly(&self, tag: &[u8]) -> bool {
        self.is_strongly(tag.strip_prefix(b"W/").unwrap_or(tag))
    }

    /// The file's date and the one that the client sent. What is no date is no condition.
    fn date(&self, headers: &HeaderMap, name: HeaderName) -> Option<(SystemTime, SystemTime)> {
        let theirs = httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()?;
        Some((self.modified?, theirs))
    }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}
