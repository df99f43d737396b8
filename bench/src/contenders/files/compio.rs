//! compio-dispatcher: a dispatch for each batch, no more at a time than there may be under way.

use std::collections::{HashSet, VecDeque};
use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;

use blake3::Hasher;
use compio_buf::{BufResult, IntoInner, IoBuf};
use compio_dispatcher::Dispatcher;
use compio_fs::File;
use compio_io::AsyncReadAt;
use compio_runtime::Runtime;
use futures_channel::oneshot::Receiver;

use crate::affinity::cpu_of_worker;
use crate::workloads::files::{Buffer, Files, Plan, Reader, Tally};

#[derive(Debug)]
pub(in crate::contenders) struct Compio {
    dispatcher: Dispatcher,
    /// The dispatching thread's own, as on the crate's page.
    runtime: Runtime,
    in_flight: usize,
}

impl Reader for Compio {
    fn start(workers: usize, plan: Plan) -> io::Result<Self> {
        let dispatcher = Dispatcher::builder()
            .worker_threads(NonZeroUsize::new(workers).expect("at least one worker"))
            .thread_affinity(|index| cpu_of_worker(index).into_iter().collect::<HashSet<_>>())
            .build()?;
        Ok(Compio { dispatcher, runtime: Runtime::new()?, in_flight: workers * plan.in_flight })
    }

    fn read(&self, files: &Arc<Files>) -> io::Result<Tally> {
        self.runtime.block_on(async {
            let (mut tally, mut oldest_first) = (Tally::default(), VecDeque::new());
            for batch in files.batches() {
                if oldest_first.len() == self.in_flight {
                    tally += result(oldest_first.pop_front().expect("it has some")).await?;
                }
                let files = Arc::clone(files);
                let dispatched = self.dispatcher.dispatch(move || hash_batch(files, batch));
                oldest_first.push_back(dispatched.map_err(|_| io::Error::other("the threads are gone"))?);
            }
            for batch in oldest_first {
                tally += result(batch).await?;
            }
            Ok(tally)
        })
    }
}

/// Ended by the batch's end.
async fn result(batch: Receiver<io::Result<Tally>>) -> io::Result<Tally> {
    batch.await.map_err(io::Error::other)?
}

/// Opens, reads and closes through the ring. Each of the three ends with a completion on this thread's ring.
async fn hash_batch(files: Arc<Files>, batch: Range<usize>) -> io::Result<Tally> {
    let (mut buffer, mut tally) = (Buffer::new(files.plan.buffer_bytes), Tally::default());
    for path in &files.paths[batch] {
        let file = File::open(path).await?;
        let hashed = hash_file(&file, &mut buffer).await;
        file.close().await?;
        tally += hashed?;
    }
    Ok(tally)
}

async fn hash_file(file: &File, buffer: &mut Buffer) -> io::Result<Tally> {
    let (mut hasher, mut offset) = (Hasher::new(), 0);
    loop {
        let room = buffer.take_bytes().slice(buffer.range());
        let BufResult(read, room) = file.read_at(room, offset).await;
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
