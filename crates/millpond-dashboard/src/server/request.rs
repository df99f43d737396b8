//! What a client asks: the head of a request, and no more.

use super::limits::{FIELDS_MAX, HEAD_BYTES_MAX};
use httparse::{Error, Status};

/// A request that can be answered. Its body, should it have one, is of no interest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    query: Option<String>,
    /// Whom the client takes the server for.
    pub(crate) host: String,
    authorization: Option<String>,
    pub(crate) accept: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Method {
    #[default]
    Get,
    Head,
    /// Any other.
    Other,
}

/// Why there is no request to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Not HTTP, or not as it must be.
    NotHttp,
    /// Neither 1.0 nor 1.1.
    Version,
    /// No end within the limits.
    TooLarge,
    /// No host, or several, or one that is no text.
    Host,
}

impl Request {
    /// `None`: the head is not whole yet.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Request>, Malformed> {
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut parsed = httparse::Request::new(&mut fields);
        match parsed.parse(bytes) {
            Ok(Status::Complete(_)) => Request::read(&parsed).map(Some),
            Ok(Status::Partial) if bytes.len() < HEAD_BYTES_MAX => Ok(None),
            Ok(Status::Partial) | Err(Error::TooManyHeaders) => Err(Malformed::TooLarge),
            Err(Error::Version) => Err(Malformed::Version),
            Err(_) => Err(Malformed::NotHttp),
        }
    }

    fn read(parsed: &httparse::Request<'_, '_>) -> Result<Request, Malformed> {
        let method = match parsed.method {
            Some("GET") => Method::Get,
            Some("HEAD") => Method::Head,
            _ => Method::Other,
        };
        let (authority, target) = split_authority(parsed.path.unwrap_or_default());
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        let field = |name: &'static str| text(parsed, name).next().flatten();
        // HTTP/1.1 must name a host; 1.0 may leave it out, and is then judged by the empty one.
        let mut hosts = text(parsed, "host");
        let host = match (hosts.next(), hosts.next()) {
            (Some(Some(host)), None) => host,
            (None, _) if parsed.version == Some(0) => "",
            _ => return Err(Malformed::Host),
        };
        Ok(Request {
            method,
            path: path.to_owned(),
            query: query.map(str::to_owned),
            host: authority.unwrap_or(host).to_owned(),
            authorization: field("authorization").map(str::to_owned),
            accept: field("accept").map(str::to_owned),
        })
    }

    /// The token that the client presents: in a header, or in the address, since a browser's `EventSource` sends no headers
    /// of its choice. The header counts, if both are there.
    pub(crate) fn token(&self) -> Option<&str> {
        if let Some(authorization) = &self.authorization {
            let (scheme, token) = authorization.split_once(' ')?;
            return scheme.eq_ignore_ascii_case("bearer").then(|| token.trim());
        }
        // Nothing in a token needs an escape, so nothing is unescaped.
        self.query.as_deref()?.split('&').find_map(|pair| pair.strip_prefix("token="))
    }
}

/// The host of `http://host/path`, which clients send to proxies and servers must understand (RFC 9112, 3.2.2), and the rest.
fn split_authority(target: &str) -> (Option<&str>, &str) {
    let Some(absolute) = target.strip_prefix("http://") else { return (None, target) };
    match absolute.find(['/', '?']) {
        Some(at) if absolute[at..].starts_with('/') => (Some(&absolute[..at]), &absolute[at..]),
        Some(at) => (Some(&absolute[..at]), ""),
        None => (Some(absolute), "/"),
    }
}

/// The values of a field; `None` for one that is not text.
fn text<'a>(
    parsed: &'a httparse::Request<'_, '_>,
    name: &'a str,
) -> impl Iterator<Item = Option<&'a str>> + 'a {
    let named = parsed.headers.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
    named.map(|field| std::str::from_utf8(field.value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Request>, Malformed> {
        Request::parse(text.as_bytes())
    }

    fn whole(text: &str) -> Request {
        parse(text).expect("it is a request").expect("it is whole")
    }

    #[test]
    fn a_head_is_whole_or_waited_for() {
        let head = "GET /json?a=b HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
        for end in 0..head.len() {
            assert_eq!(parse(&head[..end]), Ok(None), "{end}");
        }
        let request = whole(head);
        assert_eq!((request.method, &*request.path, &*request.host), (Method::Get, "/json", "localhost"));
        assert_eq!(request.accept.as_deref(), Some("*/*"));
    }

    #[test]
    fn the_token_is_found_in_header_and_address() {
        let token = |line: &str, field: &str| {
            let head = format!("GET {line} HTTP/1.1\r\nHost: h\r\n{field}\r\n");
            whole(&head).token().map(str::to_owned)
        };
        assert_eq!(token("/", ""), None);
        assert_eq!(token("/?x=1&token=abc", ""), Some("abc".into()));
        assert_eq!(token("/?mytoken=abc", ""), None);
        assert_eq!(token("/", "authorization: bearer abc\r\n"), Some("abc".into()));
        assert_eq!(token("/?token=abc", "Authorization: Basic abc\r\n"), None);
        assert_eq!(token("/?token=abc", "Authorization: Bearer def\r\n"), Some("def".into()));
    }

    #[test]
    fn the_host_is_the_one_that_the_client_means() {
        assert_eq!(parse("GET / HTTP/1.1\r\n\r\n"), Err(Malformed::Host));
        assert_eq!(parse("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), Err(Malformed::Host));
        assert_eq!(whole("GET / HTTP/1.0\r\n\r\n").host, "");
        let absolute = whole("GET http://evil.example?token=x HTTP/1.1\r\nHost: localhost\r\n\r\n");
        assert_eq!((&*absolute.host, &*absolute.path), ("evil.example", ""));
        assert_eq!(whole("GET http://a:1/json HTTP/1.1\r\nHost: b\r\n\r\n").path, "/json");
    }

    #[test]
    fn what_is_no_request_is_told_apart() {
        assert_eq!(parse("\u{0}\u{1}"), Err(Malformed::NotHttp));
        assert_eq!(parse("GET / HTTP/2.0\r\n\r\n"), Err(Malformed::Version));
        assert_eq!(parse("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Err(Malformed::Version));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(FIELDS_MAX + 1));
        assert_eq!(parse(&many), Err(Malformed::TooLarge));
        let long = format!("GET / HTTP/1.1\r\na: {}", "b".repeat(HEAD_BYTES_MAX));
        assert_eq!(parse(&long), Err(Malformed::TooLarge));
    }
}
