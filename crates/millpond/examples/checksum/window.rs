//! What is under way, in the order in which it will be printed.
//!
//! A bounded channel: the source puts jobs in at one end as it submits them, and at the other end the
//! oldest is awaited, printed and forgotten. So the order costs nothing but patience, and however large
//! the tree is, no more than the window of it is in memory.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use blake3::Hash;
use flume::Receiver;
use millpond::JoinHandle;

use crate::hash::{Entry, Outcome};
use crate::list::Malformed;
use crate::report::Report;

/// How many batches may be under way: 1,536 files, which is a few milliseconds of work for several workers
/// while the oldest batch is waited for. Measured: five times as many are no faster. In memory that is 6 MiB
/// when each path is as long as paths may be, and 0.5 MiB of waiting jobs a worker when each file is large.
pub(crate) const WINDOW_BATCHES: usize = 48;

/// One place in the order.
pub(crate) enum Waiting {
    /// The entries are kept here too, to be named whatever happens to the job.
    Batch {
        entries: Arc<Vec<Entry>>,
        job: JoinHandle<Vec<Outcome>>,
    },
    Settled {
        entry: Entry,
        result: io::Result<Hash>,
    },
    Malformed {
        list: PathBuf,
        number: u64,
        why: Malformed,
    },
}

/// Prints everything, in order, until the source has ended.
pub(crate) async fn print(window: Receiver<Waiting>, report: &mut Report) -> io::Result<()> {
    loop {
        if window.is_empty() {
            report.flush()?;
        }
        // Ended by the source: it puts something in, or ends and drops the other end of the window.
        let Ok(waiting) = window.recv_async().await else { break };
        match waiting {
            Waiting::Batch { entries, job } => print_batch(&entries, job, report).await?,
            Waiting::Settled { entry, result } => report.settle(&entry, result)?,
            Waiting::Malformed { list, number, why } => report.malformed(&list, number, why)?,
        }
    }
    report.flush()
}

async fn print_batch(
    entries: &[Entry],
    job: JoinHandle<Vec<Outcome>>,
    report: &mut Report,
) -> io::Result<()> {
    if !job.is_finished() {
        report.flush()?;
    }
    // Ended by the job's end: a join handle always resolves.
    match job.await {
        Ok(outcomes) => {
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
        }
        Err(lost) => {
            for entry in entries {
                report.settle(entry, Err(io::Error::other(lost.to_string())))?;
            }
        }
    }
    Ok(())
}
