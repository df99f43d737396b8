//! Reads through a worker's ring, on monoio: shared by millpond's jobs and by the loops made by hand.

use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::Arc;

use blake3::Hasher;
use monoio::buf::IoBufMut;
use monoio::fs::File;

use super::super::monoio::runtime;
use super::fed::{Fed, Order};
use crate::workloads::files::{Buffer, Files, Plan, Reader, Tally};

/// A runtime on each thread, and on each runtime as many tasks as there may be batches under way.
#[derive(Debug)]
pub(in crate::contenders) struct FlumeMonoio(Fed);

impl Reader for FlumeMonoio {
    fn start(workers: usize, plan: Plan) -> io::Result<Self> {
        Fed::start(workers, workers, move |orders| {
            runtime().block_on(async move {
                let spawn = |_| {
                    let orders = orders.clone();
                    monoio::spawn(async move {
                        // Ended by an order, or by the drop of the sender.
                        while let Ok(Order { files, batch, done }) = orders.recv_async().await {
                            let _ = done.send(hash_batch(files, batch).await);
                        }
                    })
                };
                let tasks: Vec<_> = (0..plan.in_flight).map(spawn).collect();
                for task in tasks {
                    // Ended by the close of the channel.
                    task.await;
                }
            });
        })
        .map(FlumeMonoio)
    }

    fn read(&self, files: &Arc<Files>) -> io::Result<Tally> {
        self.0.read(files)
    }
}

/// Opens, reads and closes through the ring. Each of the three ends with a completion on this thread's ring.
pub(super) async fn hash_batch(files: Arc<Files>, batch: Range<usize>) -> io::Result<Tally> {
    let (mut buffer, mut tally) = (Buffer::new(files.plan.buffer_bytes), Tally::default());
    for path in &files.paths[batch] {
        let file = File::open(path).await?;
        let hashed = hash_file(&file, &mut buffer).await;
        // Awaited, because a dropped file submits its close and a cancel for it.
        file.close().await?;
        tally += hashed?;
    }
    Ok(tally)
}

async fn hash_file(file: &File, buffer: &mut Buffer) -> io::Result<Tally> {
    let (mut hasher, mut offset) = (Hasher::new(), 0);
    loop {
        let room = buffer.take_bytes().slice_mut(buffer.range());
        let (read, room) = file.read_at(room, offset).await;
        buffer.bytes = room.into_inner();
        match read {
            Ok(0) => return Ok(Tally::of_file(offset, hasher.finalize())),
            Ok(read) => {
                hasher.update(buffer.filled());
                offset += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
