//! What is under way, in the order in which it will be printed.
//!
//! The pool makes a job of each item of the source and gives the results in the source's order. It takes no more than the
//! window has room for, so however large the tree is, no more than that of it is in memory.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use blake3::Hash;
use flume::Receiver;
use futures_util::StreamExt;
use millpond::{Handle, JoinError};

use crate::hash::{self, Entry, Outcome};
use crate::list::Malformed;
use crate::report::Report;
use crate::tally::Tally;

/// How many batches may be under way: 1,536 files, which is a few milliseconds of work for several workers
/// while the oldest batch is waited for. Measured: five times as many are no faster. In memory that is 6 MiB
/// when each path is as long as paths may be, and 0.5 MiB of waiting jobs a worker when each file is large.
const WINDOW_BATCHES: usize = 48;

/// One place in the order.
pub(crate) enum Item {
    Batch(Arc<Vec<Entry>>),
    Settled { entry: Entry, result: io::Result<Hash> },
    Malformed { list: PathBuf, number: u64, why: Malformed },
}

/// Hashes and prints everything, in order, until the source has ended.
pub(crate) async fn print(
    pool: &Handle,
    source: Receiver<Item>,
    tally: Arc<Tally>,
    report: &mut Report,
) -> io::Result<()> {
    // Kept here too, to be named whatever happens to the job.
    let under_way = RefCell::new(VecDeque::new());
    let batches = source.into_stream().map(|item| {
        let files = if let Item::Batch(entries) = &item { entries.clone() } else { Arc::default() };
        under_way.borrow_mut().push_back(item);
        files
    });
    let hash = move |files| hash::hash_batch(files, tally.clone());
    let mut hashed = pool.map_ordered(batches, WINDOW_BATCHES, hash).ready_chunks(WINDOW_BATCHES);
    // Ended by the oldest job, or by the source, which puts something in or ends.
    while let Some(at_hand) = hashed.next().await {
        for outcomes in at_hand {
            let item = under_way.borrow_mut().pop_front().expect("each result has its item");
            match item {
                Item::Batch(entries) => print_batch(&entries, outcomes, report).await?,
                Item::Settled { entry, result } => report.settle(&entry, result)?,
                Item::Malformed { list, number, why } => report.malformed(&list, number, why)?,
            }
        }
        report.flush()?;
    }
    Ok(())
}

async fn print_batch(
    entries: &[Entry],
    outcomes: Result<Vec<Outcome>, JoinError>,
    report: &mut Report,
) -> io::Result<()> {
    let outcomes = outcomes.unwrap_or_else(|lost| {
        let lost = lost.to_string();
        entries.iter().map(|_| Outcome::Failed(io::Error::other(lost.clone()))).collect()
    });
    for (entry, outcome) in entries.iter().zip(outcomes) {
        let result = match outcome {
            Outcome::Hashed(hash) => Ok(hash),
            Outcome::Failed(error) => Err(error),
            Outcome::InPieces(pieces) => {
                report.flush()?;
                pieces.join().await
            }
        };
        report.settle(entry, result)?;
    }
    Ok(())
}
