//! Who gets an answer.

use super::{error::BadToken, request::Request};
use std::{fmt, net::IpAddr};
use subtle::ConstantTimeEq;

/// As many letters and digits hold 95 bits, if they are taken by chance: beyond all guessing over a network.
pub(crate) const TOKEN_CHARACTERS_MIN: usize = 16;

/// The word by which a reader is let in.
#[derive(Clone)]
pub(crate) struct Token(String);

/// Looks at each request before anything else does.
///
/// With a token, whoever has it may read, under whatever name the server is reached: a page of another origin cannot have it.
/// Without one the server listens on loopback alone, and a page that has its own name point to there (DNS rebinding) is
/// known by the `Host` that its browser sends.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) token: Option<Token>,
}

/// Why a request gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NoToken,
    WrongToken,
    ForeignHost,
}

impl Token {
    pub(crate) fn new(token: String) -> Result<Token, BadToken> {
        let is_plain = |char: char| char.is_ascii_alphanumeric() || "-._~".contains(char);
        if let Some(at) = token.chars().position(|char| !is_plain(char)) {
            return Err(BadToken::Character { at });
        }
        if token.len() < TOKEN_CHARACTERS_MIN {
            return Err(BadToken::Short { characters: token.len() });
        }
        Ok(Token(token))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes as long for any text of the same length.
    fn is(&self, presented: &str) -> bool {
        self.0.as_bytes().ct_eq(presented.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Guard {
    pub(crate) fn check(&self, request: &Request) -> Result<(), Refusal> {
        let Some(token) = &self.token else {
            return if is_loopback(&request.host) { Ok(()) } else { Err(Refusal::ForeignHost) };
        };
        match request.token() {
            None => Err(Refusal::NoToken),
            Some(presented) if token.is(presented) => Ok(()),
            Some(_) => Err(Refusal::WrongToken),
        }
    }
}

/// Whether an address can be reached from this machine alone.
pub(crate) fn is_local(addr: IpAddr) -> bool {
    addr.to_canonical().is_loopback()
}

/// Whether a `Host` names this machine: an address of loopback, or `localhost`, also as a suffix, which browsers and resolvers
/// take to loopback without asking anybody (RFC 6761).
fn is_loopback(host: &str) -> bool {
    let Some(name) = without_port(host) else { return false };
    if let Some(address) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        return address.parse().is_ok_and(is_local);
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost") || name.parse().is_ok_and(is_local)
}

/// `None` if what stands behind the name is no port.
fn without_port(host: &str) -> Option<&str> {
    let end_of_address = host.rfind(']').map_or(0, |at| at + 1);
    let Some(colon) = host[end_of_address..].find(':') else { return Some(host) };
    let (name, port) = host.split_at(end_of_address + colon);
    port[1..].bytes().all(|byte| byte.is_ascii_digit()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_loopback_are_told_from_others() {
        for host in [
            "localhost",
            "LocalHost:80",
            "localhost.:8080",
            "pool.localhost:1",
            "127.0.0.1:9",
            "127.9.9.9",
            "[::1]:80",
            "[::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            ":80",
            "evil.example",
            "localhost.evil.example",
            "evil-localhost",
            "127.0.0.1.evil.example",
            "128.0.0.1",
            "[::2]:80",
            "::1",
            "[::1",
            "localhost:80:80",
            "localhost:8a",
            "127.0.0.1@evil.example",
            "0.0.0.0",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn a_token_is_long_and_plain_and_never_printed() {
        assert_eq!(Token::new("short".into()).unwrap_err(), BadToken::Short { characters: 5 });
        assert_eq!(Token::new("sixteen characters".into()).unwrap_err(), BadToken::Character { at: 7 });
        let token = Token::new("0123456789abcdef".into()).unwrap();
        assert!(token.is("0123456789abcdef"));
        assert!(!token.is("0123456789abcdeF") && !token.is("0123456789abcde") && !token.is(""));
        assert!(!format!("{token:?}").contains("0123"));
    }
}
