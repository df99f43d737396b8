//! The pieces of the guide's chapter "Past one machine", with a real server.
#![allow(missing_docs)]

mod common;

use common::{Settings, site::Site, unhung};
use millpond_nats::{Client, Consumer, Failure, Job, Poison, PublishReceipt, Publisher};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex};

// ANCHOR: job
#[derive(Serialize, Deserialize)]
struct Line {
    file: String,
    text: String,
}

/// What a machine does with one message. `Ok` acks it.
async fn index(job: Job, index: Arc<Mutex<Vec<String>>>) -> Result<(), Failure> {
    let line: Line = job.decode()?; // what is no `Line` goes to the dead letters
    if line.text.is_empty() {
        // So does what no try would mend.
        return Err(Poison::new("an empty line").into());
    }
    if line.text == "unlucky" && job.attempt() == 1 {
        return Err(Failure::retry("the index was away")); // and this comes again
    }
    index.lock().expect("nobody panics").push(format!("{}: {}", line.file, line.text));
    Ok(())
}
// ANCHOR_END: job

// ANCHOR: publish
/// Sends the lines of a file. Each has an id, so a second run within the stream's
/// window stores nothing twice.
async fn publish(
    client: &Client,
    file: &str,
    lines: &[&str],
) -> Result<PublishReceipt, Box<dyn std::error::Error>> {
    let publisher = Publisher::builder(client).build()?;
    for (number, text) in lines.iter().enumerate() {
        let line = Line { file: file.to_owned(), text: (*text).to_owned() };
        let id = format!("{file}:{number}");
        // Waits for room among what is without an answer, and for no answer.
        drop(publisher.publish_with_id("jobs.line", &id, &line).await?);
    }
    Ok(publisher.flush().await) // every one is stored, or counted as failed
}
// ANCHOR_END: publish

// ANCHOR: consume
/// On as many machines as it takes: the same stream, the same name.
async fn consume(
    client: &Client,
    pool: &millpond::Pool,
    lines: Arc<Mutex<Vec<String>>>,
) -> Result<Consumer, millpond_nats::ConsumerError> {
    Consumer::builder(client, "JOBS", "indexers").run(pool, move |job| index(job, Arc::clone(&lines))).await
}
// ANCHOR_END: consume

#[test]
fn lines_are_indexed_once_and_what_cannot_be_is_a_dead_letter() {
    unhung("lines_are_indexed_once_and_what_cannot_be_is_a_dead_letter", || {
        let site = Site::open(Settings::default());
        let lines = ["first", "unlucky", "", "last"];
        let sent = site.wait(publish(&site.client, "a.log", &lines)).unwrap();
        let again = site.wait(publish(&site.client, "a.log", &lines)).unwrap();
        assert_eq!((sent.published, again.published, again.duplicates), (4, 0, 4));

        let indexed = Arc::new(Mutex::new(Vec::new()));
        let consumer = site.wait(consume(&site.client, &site.pool, Arc::clone(&indexed))).unwrap();
        site.wait_until_empty();
        let receipt = site.wait(consumer.stop());
        assert_eq!((receipt.acked, receipt.dead), (3, 1), "{receipt:?}");
        let mut indexed = indexed.lock().unwrap().clone();
        indexed.sort_unstable();
        assert_eq!(indexed, ["a.log: first", "a.log: last", "a.log: unlucky"]);
    });
}
