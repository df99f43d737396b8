//! A list of checksums, as `--check` reads it: lines of `hash  name`, or `BLAKE3 (name) = hash`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use blake3::Hash;

use crate::hash::{Claim, Entry};
use crate::names;

/// A line longer than this is no checksum: a path has at most 4,096 bytes, twice as many when each is
/// escaped, and U+FFFD takes three. The rest of such a line is skipped and takes no memory.
const MAX_LINE_BYTES: u64 = 16 * 1024;

/// The lines of one list, read as they are asked for.
pub(crate) struct List {
    lines: BufReader<Box<dyn Read>>,
}

/// A line that says nothing about a file, and why.
pub(crate) type Malformed = &'static str;

impl List {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let source: Box<dyn Read> =
            if path == Path::new("-") { Box::new(io::stdin()) } else { Box::new(File::open(path)?) };
        Ok(Self { lines: BufReader::new(source) })
    }

    /// True where the next line may have to be waited for.
    pub(crate) fn may_block(&self) -> bool {
        !self.lines.buffer().contains(&b'\n')
    }

    /// The next line, or `None` at the end of the list.
    pub(crate) fn next(&mut self) -> io::Result<Option<Result<Entry, Malformed>>> {
        let mut line = Vec::new();
        self.lines.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.len() as u64 == MAX_LINE_BYTES && !line.ends_with(b"\n") {
            self.skip_line()?;
            return Ok(Some(Err("the line is too long for a checksum")));
        }
        Ok(Some(parse(&line)))
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.lines.fill_buf()?;
            let newline = buffer.iter().position(|&byte| byte == b'\n');
            let skipped = newline.map_or(buffer.len(), |at| at + 1);
            let at_end = buffer.is_empty();
            self.lines.consume(skipped);
            if newline.is_some() || at_end {
                return Ok(());
            }
        }
    }
}

fn parse(line: &[u8]) -> Result<Entry, Malformed> {
    let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err("the line is empty");
    }
    let (escaped, rest) = line.strip_prefix('\\').map_or((false, line), |rest| (true, rest));
    let (hash, text) = split(rest).ok_or("neither `hash  name` nor `BLAKE3 (name) = hash`")?;
    let hash = parse_hash(hash).ok_or("the hash is not 64 hexadecimal digits in lower case")?;
    let name = if escaped {
        names::unescape(text).ok_or("a backslash in the name is followed by none of `\\`, `n`, `r`")?
    } else {
        text.to_owned()
    };
    refuse_ambiguous(&name)?;
    let shown = if escaped { format!("\\{text}") } else { text.to_owned() };
    Ok(Entry { path: name.into(), claim: Some(Claim { hash, shown }) })
}

/// The hash and the name of a line. A name may contain either separator, a hash neither: so the first
/// counts where the hash comes first, and the last where it comes last.
fn split(line: &str) -> Option<(&str, &str)> {
    if let Some(tagged) = line.strip_prefix("BLAKE3 (") {
        let (name, hash) = tagged.rsplit_once(") = ")?;
        return Some((hash, name));
    }
    line.split_once("  ")
}

fn parse_hash(hex: &str) -> Option<Hash> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if hex.bytes().all(lower) { Hash::from_hex(hex).ok() } else { None }
}

/// A name that may stand for another file than it did when the list was made is not checked at all.
fn refuse_ambiguous(name: &str) -> Result<(), Malformed> {
    if name.is_empty() {
        Err("the name is empty")
    } else if name.contains('\0') {
        Err("the name contains a null character")
    } else if name.contains('\u{FFFD}') {
        Err("the name contains U+FFFD, which stands for bytes that are not UTF-8")
    } else {
        Ok(())
    }
}
