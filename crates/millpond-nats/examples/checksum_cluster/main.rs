//! Checksums of files, by as many processes on as many machines as you like.
//!
//! ```sh
//! nats-server -js &
//! cargo run --release -p millpond-nats --example checksum_cluster -- work &        # as often as you like, wherever
//! cargo run --release -p millpond-nats --example checksum_cluster -- publish PATH… # once
//! cargo run --release -p millpond-nats --example checksum_cluster -- table         # waits for the last result
//! ```
//!
//! `publish` walks the paths and puts each file's name into the stream CHECKSUM (`publish`). Each `work` takes names off it,
//! reads the files through io_uring and puts their sums into the stream CHECKSUM-sums (`work`). `table` reads that one and
//! prints it in the format of `b3sum`, and how much came from whom (`table`). The files have to be at the same paths on all
//! machines, as on a network file system.

mod publish;
mod table;
mod work;

use std::{env, error::Error, process::ExitCode, time::Duration};

use millpond_nats::Client;
use serde::{Deserialize, Serialize};

/// Names of files to be read. A message goes with its ack.
const FILES: &str = "CHECKSUM";
const FILES_SUBJECT: &str = "checksum.files";

/// What came of them.
const SUMS: &str = "CHECKSUM-sums";
const SUMS_SUBJECT: &str = "checksum.sums";

/// A sum that comes a second time within this is not stored: far longer than a job waits for another process.
const SAME_SUM: Duration = Duration::from_secs(60 * 60);

/// Where files go that cannot be read.
const DEAD: &str = "CHECKSUM-dead";

const HELP: &str = "\
Usage: checksum_cluster publish PATH…   puts the files' names into the stream CHECKSUM
       checksum_cluster work            sums up files until it is interrupted
       checksum_cluster table           prints all sums, when the last has come

Environment: NATS_URL   nats://localhost:4222 if it is not set";

/// A job: one file.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    path: String,
}

/// Its result.
#[derive(Debug, Serialize, Deserialize)]
struct Sum {
    path: String,
    /// BLAKE3, in hexadecimal.
    sum: String,
    bytes: u64,
    /// The process that read it.
    worker: String,
}

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let ended = match args.split_first() {
        Some((verb, paths)) if verb == "publish" && !paths.is_empty() => {
            run(async |client| publish::run(client, paths).await)
        }
        Some((verb, [])) if verb == "work" => work::run(),
        Some((verb, [])) if verb == "table" => run(table::run),
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("checksum_cluster: {error}");
            ExitCode::FAILURE
        }
    }
}

/// On this thread, for what needs no pool.
fn run(verb: impl AsyncFnOnce(Client) -> Result<(), Box<dyn Error>>) -> Result<(), Box<dyn Error>> {
    futures_lite::future::block_on(async { verb(connect().await?).await })
}

async fn connect() -> Result<Client, Box<dyn Error>> {
    let url = env::var("NATS_URL").unwrap_or_else(|_| "nats://localhost:4222".to_owned());
    let client = Client::connect(url).await?;
    // Whoever comes first makes them.
    client.create_work_queue(FILES, [FILES_SUBJECT]).await?;
    let sums = millpond_nats::async_nats::jetstream::stream::Config {
        name: SUMS.to_owned(),
        subjects: vec![SUMS_SUBJECT.to_owned()],
        duplicate_window: SAME_SUM,
        ..Default::default()
    };
    client.on_thread(|jetstream| async move { jetstream.create_stream(sums).await.map(drop) }).await?;
    Ok(client)
}
