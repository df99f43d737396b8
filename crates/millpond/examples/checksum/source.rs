//! Where the files come from: the arguments and the trees below them, or lists to check.
//!
//! All of this blocks (there is no reading of directories through the ring), so it runs on a thread of its
//! own. It puts batches of files, and what is known without a job, into a channel, in order. When that is
//! full this thread waits.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use blake3::{Hash, Hasher};
use flume::Sender;

use crate::args::Args;
use crate::hash::{self, Entry};
use crate::list::{List, Malformed};
use crate::tally::Tally;
use crate::walk::Walk;
use crate::window::Item;

/// How much of standard input, a FIFO or a device is asked for at a time. A pipe gives 64 KiB at most.
const STREAM_BYTES: usize = 64 * 1024;

/// How many items may be found ahead: enough for a new window while a thread is woken.
pub(crate) const AHEAD_ITEMS: usize = 16;

/// Nobody takes what is found any more: the program is ending.
pub(crate) struct Ending;

pub(crate) struct Source {
    pub(crate) items: Sender<Item>,
    pub(crate) tally: Arc<Tally>,
    /// Files on their way to the pool, in order; never more than one job takes.
    pub(crate) batch: Vec<Entry>,
}

impl Source {
    pub(crate) fn run(mut self, args: &Args) -> Result<(), Ending> {
        for path in &args.paths {
            if args.check { self.check_list(path)? } else { self.hash_argument(path)? }
        }
        self.send_batch()
    }

    fn hash_argument(&mut self, path: &Path) -> Result<(), Ending> {
        if path != Path::new("-") && path.is_dir() {
            for (path, found) in Walk::new(path.to_owned()) {
                let entry = Entry { path, claim: None };
                match found {
                    Ok(()) => self.add_file(entry)?,
                    Err(reason) => self.settle(entry, Err(reason))?,
                }
            }
            return Ok(());
        }
        self.add(Entry { path: path.to_owned(), claim: None })
    }

    fn check_list(&mut self, path: &Path) -> Result<(), Ending> {
        let mut list = match List::open(path) {
            Ok(list) => list,
            Err(error) => return self.list_failed(path, error),
        };
        for number in 1.. {
            if list.may_block() {
                // Whoever writes the list may wait for the answer to what it has written so far.
                self.send_batch()?;
            }
            match list.next() {
                Ok(Some(Ok(entry))) => self.add(entry)?,
                Ok(Some(Err(why))) => self.malformed(path, number, why)?,
                Ok(None) => break,
                Err(error) => return self.list_failed(path, error),
            }
        }
        Ok(())
    }

    fn malformed(&mut self, list: &Path, number: u64, why: Malformed) -> Result<(), Ending> {
        self.send_batch()?;
        self.put(Item::Malformed { list: list.to_owned(), number, why })
    }

    fn list_failed(&mut self, path: &Path, error: io::Error) -> Result<(), Ending> {
        self.settle(Entry { path: path.to_owned(), claim: None }, Err(error))
    }

    /// A path that may be anything. Only regular files go to the workers: the others may never end.
    fn add(&mut self, entry: Entry) -> Result<(), Ending> {
        if entry.path == Path::new("-") {
            return self.read_stream(entry, || Ok(Box::new(io::stdin())));
        }
        match fs::metadata(&entry.path) {
            Ok(metadata) if metadata.is_file() || metadata.is_dir() => self.add_file(entry),
            Ok(_) => {
                let path = entry.path.clone();
                self.read_stream(entry, || Ok(Box::new(File::open(path)?)))
            }
            Err(error) => self.settle(entry, Err(error)),
        }
    }

    /// Reads to the end on this thread: streams are read one after the other, in order, as the second `-`
    /// has to find what the first one left. Ctrl-C ends the program, and this wait with it.
    fn read_stream(
        &mut self,
        entry: Entry,
        open: impl FnOnce() -> io::Result<Box<dyn Read>>,
    ) -> Result<(), Ending> {
        self.send_batch()?;
        let hashed = open().and_then(|stream| hash_stream(stream, &self.tally));
        self.settle(entry, hashed)
    }

    fn add_file(&mut self, entry: Entry) -> Result<(), Ending> {
        self.batch.push(entry);
        if self.batch.len() == hash::FILES_PER_JOB { self.send_batch() } else { Ok(()) }
    }

    fn send_batch(&mut self) -> Result<(), Ending> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.put(Item::Batch(Arc::new(batch)))
    }

    /// What is known without a job takes its place in the order all the same.
    fn settle(&mut self, entry: Entry, result: io::Result<Hash>) -> Result<(), Ending> {
        self.send_batch()?;
        self.put(Item::Settled { entry, result })
    }

    fn put(&mut self, item: Item) -> Result<(), Ending> {
        // Waits for room. Ended by the window: it takes the oldest, or is dropped with the other end.
        self.items.send(item).map_err(|_| Ending)
    }
}

fn hash_stream(mut stream: Box<dyn Read>, tally: &Tally) -> io::Result<Hash> {
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; STREAM_BYTES];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                hasher.update(&buffer[..read]);
                tally.add_stream_bytes(read as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    tally.add_stream_file();
    Ok(hasher.finalize())
}
