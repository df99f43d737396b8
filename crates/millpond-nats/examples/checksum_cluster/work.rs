//! The sums of the files.

use std::{error::Error, io, process, sync::Arc, time::Duration};

use millpond::{Pin, Pool};
use millpond_nats::{Consumer, Failure, Job, Poison, Publisher};
use monoio::fs::File as Opened;

use crate::{FILES, File, SUMS_SUBJECT, Sum, connect};

/// Large enough for few trips into the kernel, and small enough that a hundred files at once are no burden.
const BUFFER_BYTES: usize = 256 * 1024;

/// So many files are open at most.
const FILES_AT_ONCE: usize = 128;

/// What a process that died had begun goes to others after this.
const LOST_AFTER: Duration = Duration::from_secs(5);

/// Works until it is interrupted, and then ends in order: what it has begun it brings to its end, and the rest goes to others.
pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    let (interrupt, interrupted) = flume::bounded(1);
    // SIGTERM too.
    ctrlc::set_handler(move || interrupt.try_send(()).unwrap_or_default())?;
    // A guest beside other programs is not pinned.
    let pool = Pool::builder().pin(Pin::None).build()?;
    pool.block_on(async {
        let client = connect().await?;
        let publisher = Publisher::builder(&client).build()?;
        let worker: Arc<str> = process::id().to_string().into();
        let consumer =
            Consumer::builder(&client, FILES, "workers").max_in_flight(FILES_AT_ONCE).ack_wait(LOST_AFTER);
        let consumer =
            consumer.run(&pool, move |job| sum(job, publisher.clone(), Arc::clone(&worker))).await?;
        eprintln!("worker {} is at work", process::id());
        // Ended by the signal's handler, which lives as long as the process.
        let _ = interrupted.recv_async().await;
        let receipt = consumer.stop().await;
        eprintln!(
            "worker {}: {} files, {} of them bad, {} given back",
            process::id(),
            receipt.acked + receipt.dead,
            receipt.dead,
            receipt.returned + receipt.cut_off
        );
        Ok(())
    })
}

/// One job. The result is in its stream before the job is acked, under the job's own number: if this process dies in between,
/// another brings the same result, and the stream takes it once.
async fn sum(job: Job, publisher: Publisher, worker: Arc<str>) -> Result<(), Failure> {
    let File { path } = job.decode()?;
    let (sum, bytes) = hash(&path).await.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => {
            Poison::new(format!("{path}: {error}")).into()
        }
        _ => Failure::retry(error),
    })?;
    let sum = Sum { path, sum, bytes, worker: worker.to_string() };
    publisher.publish_with_id(SUMS_SUBJECT, &job.sequence().to_string(), &sum).await?.await?;
    Ok(())
}

/// Through the worker's io_uring.
async fn hash(path: &str) -> io::Result<(String, u64)> {
    let file = Opened::open(path).await?;
    let mut hasher = blake3::Hasher::new();
    let (mut buffer, mut bytes) = (vec![0; BUFFER_BYTES], 0);
    loop {
        let (read, filled) = file.read_at(buffer, bytes).await;
        buffer = filled;
        match read? {
            0 => break,
            read => {
                hasher.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
    file.close().await?;
    Ok((hasher.finalize().to_hex().to_string(), bytes))
}
