//! What the user sees: lines on standard output, in b3sum's format, and errors on standard error.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use blake3::Hash;

use crate::hash::{Claim, Entry};
use crate::names;
use crate::progress::Progress;

/// Lines are written once there are this many bytes of them, or once nothing more is at hand to print.
const FLUSH_BYTES: usize = 64 * 1024;

pub(crate) struct Report {
    /// Whole lines, not yet written.
    lines: String,
    progress: Progress,
    /// Something was not read, or did not match.
    failed: bool,
    /// Lines of lists that did not prove right, for the warning at the end.
    unproven: u64,
}

impl Report {
    pub(crate) fn new(progress: Progress) -> Self {
        Self { lines: String::new(), progress, failed: false, unproven: 0 }
    }

    /// The line of one file: its checksum, or whether it is as its list says.
    pub(crate) fn settle(&mut self, entry: &Entry, result: io::Result<Hash>) -> io::Result<()> {
        match (&entry.claim, result) {
            (None, Ok(hash)) => self.checksum(&entry.path, &hash),
            (None, Err(error)) => return self.error(&entry.path, &error),
            (Some(claim), result) => self.verdict(claim, result),
        }
        if self.lines.len() >= FLUSH_BYTES { self.flush() } else { Ok(()) }
    }

    fn checksum(&mut self, path: &Path, hash: &Hash) {
        let name = names::show(path);
        let mark = if name.escaped { "\\" } else { "" };
        let _ = writeln!(self.lines, "{mark}{}  {}", hash.to_hex(), name.text);
    }

    fn verdict(&mut self, claim: &Claim, result: io::Result<Hash>) {
        let proven = matches!(&result, Ok(hash) if *hash == claim.hash);
        let verdict = match result {
            Ok(_) if proven => "OK".to_owned(),
            Ok(_) => "FAILED".to_owned(),
            Err(error) => format!("FAILED ({error})"),
        };
        let _ = writeln!(self.lines, "{}: {verdict}", claim.shown);
        self.failed |= !proven;
        self.unproven += u64::from(!proven);
    }

    /// A file that could not be read.
    fn error(&mut self, path: &Path, error: &io::Error) -> io::Result<()> {
        self.failed = true;
        self.complain(&format!("{}: {error}", names::show(path).text))
    }

    /// A line of a list that says nothing about a file. It proves nothing, so it counts as a mismatch.
    pub(crate) fn malformed(&mut self, list: &Path, number: u64, why: &str) -> io::Result<()> {
        self.failed = true;
        self.unproven += 1;
        self.complain(&format!("{}: line {number}: {why}", names::show(list).text))
    }

    /// The last word on the lists. True if all went well.
    pub(crate) fn conclude(&mut self) -> io::Result<bool> {
        match self.unproven {
            0 => {}
            1 => self.complain("WARNING: 1 computed checksum did NOT match")?,
            many => self.complain(&format!("WARNING: {many} computed checksums did NOT match"))?,
        }
        self.progress.finish();
        Ok(!self.failed)
    }

    /// The table of the workers, on standard error.
    pub(crate) fn table(&self, table: &str) {
        let _ = io::stderr().write_all(table.as_bytes());
    }

    /// A line on standard error, after all that was to be printed before it.
    fn complain(&mut self, line: &str) -> io::Result<()> {
        self.flush()?;
        self.progress.suspend(|| complain(line));
        Ok(())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let written = self.progress.suspend(|| {
            let mut stdout = io::stdout().lock();
            stdout.write_all(self.lines.as_bytes()).and_then(|()| stdout.flush())
        });
        self.lines.clear();
        written
    }
}

/// A line on standard error. Where even that fails there is nowhere left to say so; the exit status does.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "checksum: {line}");
}
