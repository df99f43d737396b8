//! One keep-alive connection of the client, with at most one request that is not answered yet.

use std::collections::VecDeque;
use std::fmt::Display;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::super::http::Exchange;

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    pub(super) is_heavy: bool,
    /// The request that was sent last, and the answer to it.
    exchange: Exchange,
    number: u32,
    /// What has come of the answer. Longer than it by a byte, so that one byte too many shows.
    answer: Vec<u8>,
    answered: usize,
    /// Since when the answer is waited for: since it was asked for, or since that was due.
    since: Option<Instant>,
    /// Requests that fell due while an answer was waited for.
    due: VecDeque<Instant>,
}

impl Connection {
    pub(super) fn open(address: SocketAddr, exchange: Exchange, is_heavy: bool) -> Result<Self, String> {
        let stream = TcpStream::connect(address).map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let answer = vec![0; exchange.answer.len() + 1];
        Ok(Connection {
            stream,
            is_heavy,
            exchange,
            number: 0,
            answer,
            answered: 0,
            since: None,
            due: VecDeque::new(),
        })
    }

    /// Asks and waits for the answer; from then on no call blocks. The server has a task for this connection then.
    pub(super) fn introduce(&mut self) -> Result<(), String> {
        self.ask(Instant::now())?;
        // Each ended by bytes, or by the connection's end.
        while self.receive()?.is_none() {}
        self.stream.set_nonblocking(true).map_err(failed)
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.since.is_some()
    }

    /// Sends the next request. It counts from `since` on.
    pub(super) fn ask(&mut self, since: Instant) -> Result<(), String> {
        self.number += 1;
        self.exchange.set_number(self.number);
        self.since = Some(since);
        // A socket that is empty takes a hundred bytes at once.
        match self.stream.write(&self.exchange.request).map_err(failed)? {
            all if all == self.exchange.request.len() => Ok(()),
            some => Err(format!("the socket took {some} bytes of a request")),
        }
    }

    /// Sends a request that is due, now or once the one before is answered.
    pub(super) fn ask_when_free(&mut self, due: Instant) -> Result<(), String> {
        if self.is_waiting() {
            self.due.push_back(due);
            return Ok(());
        }
        self.ask(due)
    }

    /// The oldest request that was put off.
    pub(super) fn next_due(&mut self) -> Option<Instant> {
        self.due.pop_front()
    }

    /// Takes what has come. Once that is the whole answer: since when it was waited for.
    pub(super) fn receive(&mut self) -> Result<Option<Instant>, String> {
        match self.stream.read(&mut self.answer[self.answered..]) {
            Ok(0) => return Err("the server has closed a connection".to_owned()),
            Ok(read) => self.answered += read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(failed(error)),
        }
        if self.answered < self.exchange.answer.len() {
            return Ok(None);
        }
        let (found, expected) = (&self.answer[..self.answered], &self.exchange.answer);
        if found != expected {
            let text = String::from_utf8_lossy;
            return Err(format!("an answer is {:?}, where {:?} is right", text(found), text(expected)));
        }
        self.answered = 0;
        self.since.take().map(Some).ok_or_else(|| "an answer that nobody asked for".to_owned())
    }
}

pub(super) fn failed(error: impl Display) -> String {
    format!("a connection failed: {error}")
}
