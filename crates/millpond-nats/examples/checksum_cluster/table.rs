//! What came of it all.

use std::{collections::BTreeMap, error::Error, io::Write, time::Duration};

use futures_util::StreamExt;
use millpond_nats::{
    Client,
    async_nats::jetstream::{Context, consumer::pull},
};

use crate::{DEAD, FILES, SUMS, Sum};

type Failed = Box<dyn Error + Send + Sync>;

/// How often it looks whether the last one has come.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Prints the sums in the order of the paths, in the format of `b3sum`, and beside them the share of each process.
pub(crate) async fn run(client: Client) -> Result<(), Box<dyn Error>> {
    let (sums, dead) = client.on_thread(read).await.map_err(|error| error as Box<dyn Error>)?;
    let mut shares: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    let mut lines = std::io::stdout().lock();
    for sum in sums.values() {
        writeln!(lines, "{}  {}", sum.sum, sum.path)?;
        let (files, bytes) = shares.entry(&sum.worker).or_default();
        (*files, *bytes) = (*files + 1, *bytes + sum.bytes);
    }
    eprintln!("{:>10} {:>10} {:>14}", "worker", "files", "bytes");
    for (worker, (files, bytes)) in shares {
        eprintln!("{worker:>10} {files:>10} {bytes:>14}");
    }
    if dead > 0 {
        Err(format!("{dead} files could not be read: see the stream {DEAD}").into())
    } else {
        Ok(())
    }
}

/// Waits until each file that was ever published has a sum or is among the dead.
async fn read(jetstream: Context) -> Result<(BTreeMap<String, Sum>, u64), Failed> {
    let mut files = jetstream.get_stream(FILES).await?;
    let sums = jetstream.get_stream(SUMS).await?;
    loop {
        let published = files.info().await?.state.last_sequence;
        let done = sums.get_info().await?.state.messages;
        let dead = match jetstream.get_stream(DEAD).await {
            Ok(dead) => dead.cached_info().state.messages,
            // Nobody has worked yet.
            Err(_) => 0,
        };
        if published > 0 && done + dead >= published {
            return Ok((all(&jetstream, done).await?, dead));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn all(jetstream: &Context, count: u64) -> Result<BTreeMap<String, Sum>, Failed> {
    let consumer = jetstream.get_stream(SUMS).await?.create_consumer(pull::OrderedConfig::default()).await?;
    let mut messages = consumer.messages().await?;
    let mut sums = BTreeMap::new();
    for _ in 0..count {
        let Some(message) = messages.next().await else { break };
        let sum: Sum = serde_json::from_slice(&message?.payload)?;
        sums.insert(sum.path.clone(), sum);
    }
    Ok(sums)
}
