//! The pieces of the chapter "Performance".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use futures_util::{TryStreamExt, stream};
use millpond::Builder;
use std::cell::RefCell;
use std::io;
use std::path::PathBuf;

// ANCHOR: settings
fn tuned(pool: Builder) -> Builder {
    pool.max_tasks_per_worker(64) // what the disk bears, and what buffers there are
        // A full ring is submitted early: costs calls, not operations.
        .ring_entries(256)
        .queue_capacity(10_000) // 10 ms of jobs of 2 us on two workers
}
// ANCHOR_END: settings

// ANCHOR: batch
thread_local! {
    /// Buffers that this worker has done with.
    static BUFFERS: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// The bytes of small files, 32 to a job, each read into a buffer that was there
/// before.
async fn lengths(paths: Vec<PathBuf>) -> io::Result<usize> {
    let mut buffer = BUFFERS.with_borrow_mut(Vec::pop).unwrap_or_else(|| vec![0; 8 * 1024]);
    let mut bytes = 0;
    for path in paths {
        let file = monoio::fs::File::open(path).await?;
        // Small: one read has it all.
        let (read, returned) = file.read_at(buffer, 0).await;
        buffer = returned;
        bytes += read?;
        file.close().await?; // by the ring; a drop would close it by a call of its own
    }
    BUFFERS.with_borrow_mut(|buffers| buffers.push(buffer));
    Ok(bytes)
}

async fn total(pool: &millpond::Handle, paths: &[PathBuf]) -> io::Result<usize> {
    let batches: Vec<_> = paths.chunks(32).map(<[_]>::to_vec).collect();
    let lengths = pool.map_unordered(stream::iter(batches), 32, lengths).map_err(io::Error::other);
    lengths.try_fold(0, |sum, length| async move { Ok(sum + length?) }).await
}
// ANCHOR_END: batch

#[test]
fn batches_of_files_give_what_the_files_have() {
    unhung("batches_of_files_give_what_the_files_have", || {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..200).map(|n| folder.path().join(n.to_string())).collect();
        paths.iter().for_each(|path| std::fs::write(path, "seven b").unwrap());
        for driver in common::io_drivers() {
            let pool = tuned(common::builder(2).driver(driver)).build().unwrap();
            assert_eq!(pool.block_on(total(&pool, &paths)).unwrap(), 1400);
        }
    });
}
