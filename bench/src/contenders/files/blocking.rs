//! Reads by plain system calls: std threads fed by flume, and threads that only copy.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::sync::Arc;

use blake3::Hasher;

use super::fed::{Fed, Order};
use crate::contender::Contender;
use crate::workloads::files::{self, Buffer, Files, Plan, Reader, Tally};

pub(in crate::contenders) fn contenders() -> Vec<Contender> {
    vec![Contender::named("limit-copy").workload("files", files::run::<LimitCopy>)]
}

/// Threads that each receive the next batch.
#[derive(Debug)]
pub(in crate::contenders) struct StdFlume(Fed);

/// The same without the hash: what reading from the page cache, or from the disk, takes at least.
#[derive(Debug)]
struct LimitCopy(Fed);

impl Reader for StdFlume {
    fn start(workers: usize, plan: Plan) -> io::Result<Self> {
        Fed::start(workers, plan.blocking_threads(workers), |orders| {
            // Ended by an order, or by the drop of the sender.
            while let Ok(Order { files, batch, done }) = orders.recv() {
                let _ = done.send(hash_batch(&files, batch));
            }
        })
        .map(StdFlume)
    }

    fn read(&self, files: &Arc<Files>) -> io::Result<Tally> {
        self.0.read(files)
    }
}

impl Reader for LimitCopy {
    const HASHES: bool = false;

    fn start(workers: usize, plan: Plan) -> io::Result<Self> {
        Fed::start(workers, plan.blocking_threads(workers), |orders| {
            // Ended by an order, or by the drop of the sender.
            while let Ok(Order { files, batch, done }) = orders.recv() {
                let _ = done.send(copy_batch(&files, batch));
            }
        })
        .map(LimitCopy)
    }

    fn read(&self, files: &Arc<Files>) -> io::Result<Tally> {
        self.0.read(files)
    }
}

thread_local! {
    /// Kept from batch to batch, on pools' threads too.
    static BUFFER: RefCell<Option<Buffer>> = const { RefCell::new(None) };
}

pub(super) fn hash_batch(files: &Files, batch: Range<usize>) -> io::Result<Tally> {
    let mut tally = Tally::default();
    read_batch(files, batch, |file, room| {
        let mut hasher = Hasher::new();
        let bytes = read_file(file, room, |bytes| {
            hasher.update(bytes);
        })?;
        tally += Tally::of_file(bytes, hasher.finalize());
        Ok(())
    })?;
    Ok(tally)
}

fn copy_batch(files: &Files, batch: Range<usize>) -> io::Result<Tally> {
    let mut tally = Tally::default();
    read_batch(files, batch, |file, room| {
        tally += Tally { files: 1, bytes: read_file(file, room, |_| ())?, sum: 0 };
        Ok(())
    })?;
    Ok(tally)
}

fn read_batch(
    files: &Files,
    batch: Range<usize>,
    mut each: impl FnMut(File, &mut [u8]) -> io::Result<()>,
) -> io::Result<()> {
    BUFFER.with_borrow_mut(|buffer| {
        let room = buffer.get_or_insert_with(|| Buffer::new(files.plan.buffer_bytes)).as_mut_slice();
        files.paths[batch].iter().try_for_each(|path| each(File::open(path)?, room))
    })
}

fn read_file(mut file: File, room: &mut [u8], mut each: impl FnMut(&[u8])) -> io::Result<u64> {
    let mut offset = 0;
    loop {
        match file.read(room) {
            Ok(0) => return Ok(offset),
            Ok(read) => {
                each(&room[..read]);
                offset += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
