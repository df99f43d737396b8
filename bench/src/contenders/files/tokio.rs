//! tokio, in the two ways that its page on files advises: `tokio::fs`, which asks the blocking pool for each step, and
//! `std::fs` in as few calls of `spawn_blocking` as can be.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use blake3::Hasher;
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::runtime::{Builder, Runtime};

use super::blocking::hash_batch;
use crate::workloads::files::{Files, Plan, Reader, Tally};

/// The most that one step of a `tokio::fs::File` reads unless it is told otherwise. The fewer steps the better.
const STEP_BYTES: usize = 2 * 1024 * 1024;

/// `tokio::fs`, in as many tasks as there may be files under way.
#[derive(Debug)]
pub(in crate::contenders) struct Fs {
    runtime: Runtime,
    tasks: usize,
}

impl Reader for Fs {
    fn start(workers: usize, plan: Plan) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(workers).build()?;
        Ok(Fs { runtime, tasks: workers * plan.in_flight })
    }

    fn read(&self, files: &Arc<Files>) -> io::Result<Tally> {
        let next = Arc::new(AtomicUsize::new(0));
        let spawn = |_| self.runtime.spawn(hash_next(Arc::clone(files), Arc::clone(&next)));
        let tasks: Vec<_> = (0..self.tasks).map(spawn).collect();
        self.runtime.block_on(async {
            let mut tally = Tally::default();
            for task in tasks {
                // Ended by the task's end: no file is left.
                tally += task.await??;
            }
            Ok(tally)
        })
    }
}

/// Hashes one file after the other, as long as there are any that no other task has.
async fn hash_next(files: Arc<Files>, next: Arc<AtomicUsize>) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let mut buffer = Vec::new();
    while let Some(path) = files.paths.get(next.fetch_add(1, Relaxed)) {
        tally += if files.plan.batch_files > 1 {
            // Ended by the blocking pool.
            let bytes = tokio::fs::read(path).await?;
            Tally::of_file(bytes.len() as u64, blake3::hash(&bytes))
        } else {
            buffer.resize(STEP_BYTES, 0);
            hash_in_steps(path, &mut buffer).await?
        };
    }
    Ok(tally)
}

async fn hash_in_steps(path: &Path, buffer: &mut [u8]) -> io::Result<Tally> {
    let (mut hasher, mut offset) = (Hasher::new(), 0);
    let mut file = File::open(path).await?;
    loop {
        // Ended by the blocking pool, which deals with interruptions.
        let read = file.read(buffer).await?;
        if read == 0 {
            return Ok(Tally::of_file(offset, hasher.finalize()));
        }
        hasher.update(&buffer[..read]);
        offset += read as u64;
    }
}

/// `std::fs` in one call of `spawn_blocking` for each batch.
#[derive(Debug)]
pub(in crate::contenders) struct Blocking(Runtime);

impl Reader for Blocking {
    fn start(workers: usize, plan: Plan) -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        let builder = builder.worker_threads(workers).max_blocking_threads(plan.blocking_threads(workers));
        builder.build().map(Blocking)
    }

    fn read(&self, files: &Arc<Files>) -> io::Result<Tally> {
        let spawn = |batch| {
            let files = Arc::clone(files);
            self.0.spawn_blocking(move || hash_batch(&files, batch))
        };
        let calls: Vec<_> = files.batches().map(spawn).collect();
        self.0.block_on(async {
            let mut tally = Tally::default();
            for call in calls {
                // Ended by the call's end.
                tally += call.await??;
            }
            Ok(tally)
        })
    }
}
