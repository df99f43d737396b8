//! As much of HTTP/1.1 as the servers need: `GET /STEPS/NUMBER`, answered with what computing so many steps came to, and
//! with the number. No bytes are moved here: each runtime reads into a buffer and writes one out in its own way.

use std::str;

use super::super::steps::compute;

/// A longer head is refused. A buffer of so many bytes is enough for each connection.
pub(crate) const HEAD_MOST_BYTES: usize = 4096;

pub(crate) const CONTENT_TYPE: &str = "text/plain";

/// Digits of the state, a slash, digits of the number, all in hex.
pub(crate) const BODY_BYTES: usize = STATE_DIGITS + 1 + NUMBER_DIGITS;
const STATE_DIGITS: usize = 16;
const NUMBER_DIGITS: usize = 8;

const HEAD_END: &[u8] = b"\r\n\r\n";

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// To compute.
    pub(super) steps: u64,
    /// Tells a connection's answers apart.
    pub(super) number: u32,
}

/// How far a connection is once all whole requests have been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Of the input, from its start on: not needed any more.
    pub(crate) used: usize,
    /// After the output, the connection is to be closed.
    pub(crate) ends: bool,
}

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    BadRequest,
    NotFound,
    TooLong,
}

/// Answers each whole request in `input`, in order, and adds the answers to `output`. What is left over is the start of
/// the next: it belongs in front of what is read next.
pub(crate) fn answer(input: &[u8], output: &mut Vec<u8>) -> Progress {
    let mut used = 0;
    loop {
        let rest = &input[used..];
        let Some(length) = head_length(rest) else {
            if rest.len() < HEAD_MOST_BYTES {
                return Progress { used, ends: false };
            }
            refuse(Refusal::TooLong, output);
            return Progress { used: input.len(), ends: true };
        };
        used += length;
        match request(&rest[..length]) {
            Ok((asked, ends)) => {
                write_answer(asked.body(), ends, output);
                if ends {
                    return Progress { used, ends };
                }
            }
            Err(refusal) => {
                refuse(refusal, output);
                return Progress { used: input.len(), ends: true };
            }
        }
    }
}

impl Asked {
    /// From the target of a request.
    pub(crate) fn by(path: &str) -> Option<Self> {
        let (steps, number) = path.strip_prefix('/')?.split_once('/')?;
        Some(Asked { steps: steps.parse().ok()?, number: u32::from_str_radix(number, 16).ok()? })
    }

    /// Computes what is asked for.
    pub(crate) fn body(self) -> [u8; BODY_BYTES] {
        self.body_with(compute(self.steps))
    }

    fn body_with(self, state: u64) -> [u8; BODY_BYTES] {
        let mut body = [b'/'; BODY_BYTES];
        write_hex(state, &mut body[..STATE_DIGITS]);
        write_hex(self.number.into(), &mut body[STATE_DIGITS + 1..]);
        body
    }
}

/// The bytes of one kind of request and of the right answer to it, but for the number in both.
#[derive(Clone, Debug)]
pub(super) struct Exchange {
    pub(super) request: Vec<u8>,
    pub(super) answer: Vec<u8>,
    number_in_request: usize,
}

impl Exchange {
    pub(super) fn of(steps: u64) -> Self {
        let start = format!("GET /{steps}/");
        let rest = "00000000 HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\n\r\n";
        let mut answer = Vec::new();
        write_answer(Asked { steps, number: 0 }.body(), false, &mut answer);
        let number_in_request = start.len();
        Exchange { request: (start + rest).into_bytes(), answer, number_in_request }
    }

    pub(super) fn set_number(&mut self, number: u32) {
        let at = self.number_in_request;
        write_hex(number.into(), &mut self.request[at..at + NUMBER_DIGITS]);
        let at = self.answer.len() - NUMBER_DIGITS;
        write_hex(number.into(), &mut self.answer[at..]);
    }
}

/// Up to and with the empty line, if it is there.
fn head_length(input: &[u8]) -> Option<usize> {
    let end = input.windows(HEAD_END.len()).position(|bytes| bytes == HEAD_END)?;
    Some(end + HEAD_END.len())
}

/// From a whole head: what is asked for, and whether the connection ends with the answer.
fn request(head: &[u8]) -> Result<(Asked, bool), Refusal> {
    let head = str::from_utf8(&head[..head.len() - HEAD_END.len()]).map_err(|_| Refusal::BadRequest)?;
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (Some("GET"), Some(path), Some("HTTP/1.1"), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Refusal::BadRequest);
    };
    let (mut has_host, mut ends) = (false, false);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(Refusal::BadRequest)?;
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        has_host |= is("host");
        ends |= is("connection") && value.trim().eq_ignore_ascii_case("close");
        // Its end would have to be found.
        if is("content-length") || is("transfer-encoding") {
            return Err(Refusal::BadRequest);
        }
    }
    if !has_host {
        return Err(Refusal::BadRequest);
    }
    Ok((Asked::by(path).ok_or(Refusal::NotFound)?, ends))
}

/// As hyper writes it, byte for byte.
fn write_answer(body: [u8; BODY_BYTES], ends: bool, output: &mut Vec<u8>) {
    output.extend_from_slice(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n");
    if ends {
        output.extend_from_slice(b"connection: close\r\n");
    }
    output.extend_from_slice(b"content-length: 25\r\n\r\n");
    output.extend_from_slice(&body);
}

fn refuse(refusal: Refusal, output: &mut Vec<u8>) {
    let status = match refusal {
        Refusal::BadRequest => "400 Bad Request",
        Refusal::NotFound => "404 Not Found",
        Refusal::TooLong => "431 Request Header Fields Too Large",
    };
    let answer = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
    output.extend_from_slice(answer.as_bytes());
}

/// As many digits as there is room for.
fn write_hex(mut value: u64, digits: &mut [u8]) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(input: &[u8]) -> (String, Progress) {
        let mut output = Vec::new();
        let progress = answer(input, &mut output);
        (String::from_utf8(output).expect("text"), progress)
    }

    #[test]
    fn a_request_has_the_answer_that_the_client_expects() {
        let mut exchange = Exchange::of(1000);
        exchange.set_number(0x2a);
        let (output, progress) = answered(&exchange.request);
        assert_eq!(output.as_bytes(), exchange.answer);
        assert!(output.ends_with("/0000002a"), "{output}");
        assert_eq!(progress, Progress { used: exchange.request.len(), ends: false });
    }

    #[test]
    fn the_length_told_is_that_of_the_body() {
        let (output, _) = answered(&Exchange::of(0).request);
        let (head, body) = output.split_once("\r\n\r\n").expect("a head");
        assert!(head.contains(&format!("content-length: {}", body.len())), "{head}");
        assert!(head.contains(&format!("content-type: {CONTENT_TYPE}")), "{head}");
    }

    #[test]
    fn several_requests_are_answered_and_a_part_is_left() {
        let whole = Exchange::of(0);
        let mut input = [&whole.request[..], &whole.request].concat();
        input.extend_from_slice(&whole.request[..20]);
        let (output, progress) = answered(&input);
        assert_eq!(output.len(), 2 * whole.answer.len());
        assert_eq!(progress, Progress { used: 2 * whole.request.len(), ends: false });
    }

    #[test]
    fn who_asks_for_the_end_gets_it() {
        let (output, progress) = answered(b"GET /0/0 HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n");
        assert!(output.contains("\r\nconnection: close\r\n"), "{output}");
        assert!(progress.ends);
    }

    #[test]
    fn what_is_no_request_is_refused_and_ends_the_connection() {
        let refused = |input: &[u8], status: &str| {
            let (output, progress) = answered(input);
            assert!(output.starts_with(&format!("HTTP/1.1 {status} ")), "{output}");
            assert_eq!(progress, Progress { used: input.len(), ends: true });
        };
        refused(b"POST /0/0 HTTP/1.1\r\nhost: a\r\n\r\n", "400");
        refused(b"GET /0/0 HTTP/1.1\r\n\r\n", "400");
        refused(b"GET /0/0 HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc", "400");
        refused(b"GET /0/0 HTTP/1.1\r\nhost: a\r\nno header\r\n\r\n", "400");
        refused(b"\xff\r\n\r\n", "400");
        refused(b"GET /none HTTP/1.1\r\nhost: a\r\n\r\n", "404");
        refused(&[b'a'; HEAD_MOST_BYTES], "431");
    }
}
