//! The client's process, as the server's sees it. It says in a line how far it is, and goes on when it is told to: what the
//! server's threads have used is read in between.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::{Order, wrong};
use crate::alloc::Allocator;
use crate::child;
use crate::measure::{Failure, Outcome};

/// Killed when it is dropped. If this process is killed instead, its sockets are closed, and the client ends by that.
#[derive(Debug)]
pub(super) struct Asking {
    process: Child,
    said: BufReader<ChildStdout>,
    told: ChildStdin,
}

impl Asking {
    /// On the system's allocator, whichever the server is measured on.
    pub(super) fn start(order: &Order) -> Result<Self, String> {
        let mut process = Command::new(Allocator::System.program()?)
            .arg("--load")
            .args(order.words())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the client cannot be started: {error}"))?;
        let said = BufReader::new(process.stdout.take().expect("stdout was asked for as a pipe"));
        let told = process.stdin.take().expect("stdin was asked for as a pipe");
        Ok(Asking { process, said, told })
    }

    /// Waits until the client says so.
    pub(super) fn expect(&mut self, word: &str) -> Result<(), Failure> {
        let line = self.line()?;
        if line == word { Ok(()) } else { Err(wrong(format!("it said {line:?}, and not {word:?}"))) }
    }

    pub(super) fn go_on(&mut self) -> Result<(), Failure> {
        self.told.write_all(b"\n").map_err(|_| self.reason())
    }

    /// What it has measured.
    pub(super) fn metrics(&mut self) -> Outcome {
        let line = self.line()?;
        child::parse(&line).ok_or_else(|| wrong(format!("it said {line:?}")))
    }

    /// Ended by a line, or by the end of the client.
    fn line(&mut self) -> Result<String, Failure> {
        let mut line = String::new();
        match self.said.read_line(&mut line) {
            Ok(length) if length > 0 => Ok(line.trim_end().to_owned()),
            _ => Err(self.reason()),
        }
    }

    /// Why the client has ended: the last that it said.
    fn reason(&mut self) -> Failure {
        let mut errors = String::new();
        // Ended by the client's end, which has begun: it has closed its other end of a pipe.
        let _ = self.process.stderr.take().map(|mut pipe| pipe.read_to_string(&mut errors));
        wrong(errors.trim().lines().last().unwrap_or("it has ended without a reason").to_owned())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        // One that has ended already is only waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
