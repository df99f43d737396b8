//! As much of the NATS protocol as measuring takes, on a plain blocking socket: it costs little beside the server.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

/// An answer that is not there after so long does not come.
const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// How many there were: each has an inbox of its own.
static CLIENTS: AtomicUsize = AtomicUsize::new(0);

/// A connection. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
    writer: BufWriter<TcpStream>,
    line: String,
    /// What begins the subject of each message to this client.
    inbox: String,
}

/// What arrived.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub(crate) subject: String,
    /// Where its ack goes.
    pub(crate) reply: String,
    /// Without headers.
    pub(crate) payload: Vec<u8>,
    /// The server's word in place of a message, such as `404 No Messages`.
    pub(crate) status: Option<String>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Result<Self, String> {
        let connected = || -> io::Result<Client> {
            let stream = TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_read_timeout(Some(ANSWER_LIMIT))?;
            let writer = BufWriter::with_capacity(1 << 16, stream.try_clone()?);
            let inbox = format!("_INBOX.fleet{}", CLIENTS.fetch_add(1, Ordering::Relaxed));
            let reader = BufReader::with_capacity(1 << 16, stream);
            let mut client = Client { reader, writer, line: String::new(), inbox };
            let options = json!({"verbose": false, "headers": true, "no_responders": true, "protocol": 1});
            write!(client.writer, "CONNECT {options}\r\nSUB {}.> 1\r\n", client.inbox)?;
            client.flush()?;
            Ok(client)
        };
        connected().map_err(failed)
    }

    pub(crate) fn inbox(&self, name: &str) -> String {
        format!("{}.{name}", self.inbox)
    }

    /// Buffered until [`flush`](Self::flush).
    pub(crate) fn publish(&mut self, subject: &str, reply: &str, payload: &[u8]) -> io::Result<()> {
        write!(self.writer, "PUB {subject} {reply} {}\r\n", payload.len())?;
        self.writer.write_all(payload)?;
        self.writer.write_all(b"\r\n")
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    /// A question to JetStream, and its answer.
    pub(crate) fn ask(&mut self, subject: &str, question: &Value) -> Result<Value, String> {
        let text = question.to_string();
        let inbox = self.inbox("answer");
        self.publish(&format!("$JS.API.{subject}"), &inbox, text.as_bytes()).map_err(failed)?;
        self.flush().map_err(failed)?;
        loop {
            let arrived = self.receive().map_err(failed)?;
            if arrived.subject == inbox {
                let answer: Value = serde_json::from_slice(&arrived.payload).map_err(failed)?;
                let error = answer.get("error").map(|error| format!("{subject}: {error}"));
                return error.map_or(Ok(answer), Err);
            }
        }
    }

    /// Whether something is there to receive, within `limit`.
    pub(crate) fn has_arrived(&mut self, limit: Duration) -> io::Result<bool> {
        if !self.reader.buffer().is_empty() {
            return Ok(true);
        }
        let stream = self.reader.get_ref();
        stream.set_read_timeout(Some(limit.max(Duration::from_micros(1))))?;
        // Ended by the server, or by the limit.
        let peeked = stream.peek(&mut [0]);
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        match peeked {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// The next message. The server sends it, or the limit ends the wait with an error.
    pub(crate) fn receive(&mut self) -> io::Result<Arrived> {
        loop {
            if let Some(arrived) = self.receive_line()? {
                return Ok(arrived);
            }
        }
    }

    /// The next thing that the server says, and the message if it is one.
    pub(crate) fn receive_line(&mut self) -> io::Result<Option<Arrived>> {
        self.line.clear();
        if self.reader.read_line(&mut self.line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match self.line.split_whitespace().next() {
            Some("MSG") => self.message(false).map(Some),
            Some("HMSG") => self.message(true).map(Some),
            Some("PING") => {
                self.writer.write_all(b"PONG\r\n")?;
                self.flush().map(|()| None)
            }
            Some("-ERR") => Err(io::Error::other(self.line.clone())),
            _ => Ok(None),
        }
    }

    /// What the line at hand announces: `MSG subject sid [reply] [length of the headers] length`.
    fn message(&mut self, has_headers: bool) -> io::Result<Arrived> {
        let words: Vec<&str> = self.line.split_whitespace().collect();
        let lengths = if has_headers { 2 } else { 1 };
        let length = |from_end: usize| -> Option<usize> { words[words.len() - from_end].parse().ok() };
        let whole = length(1).ok_or(io::ErrorKind::InvalidData)?;
        let headers = if has_headers { length(2).ok_or(io::ErrorKind::InvalidData)? } else { 0 };
        let reply = if words.len() > 3 + lengths { words[3].to_owned() } else { String::new() };
        let subject = words[1].to_owned();
        let mut payload = vec![0; whole + 2];
        self.reader.read_exact(&mut payload)?;
        payload.truncate(whole);
        let body = payload.split_off(headers);
        let status = String::from_utf8_lossy(&payload).lines().next().map(str::to_owned);
        let status = status.and_then(|line| Some(line.strip_prefix("NATS/1.0 ")?.to_owned()));
        Ok(Arrived { subject, reply, payload: body, status })
    }
}

pub(crate) fn failed(error: impl std::fmt::Display) -> String {
    format!("the server does not do what it should: {error}")
}
