//! A file on its way from a client: the pool writes it, part by part, as it comes.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use futures_util::StreamExt as _;
use monoio::fs::File;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::time::timeout;

use crate::job::OwnedJob;
use crate::refusal::Refusal;
use crate::site::Site;

/// Parts that have come and are not written. hyper reads up to 408 KiB at a time, and mostly far less.
const PARTS_AHEAD: usize = 4;

/// How long a client may send nothing.
const STALL: Duration = Duration::from_secs(30);

/// What the request's task tells the job.
enum Part {
    Bytes(Bytes),
    /// The body was heard to its end. A channel that ends without it is a client that has gone: half a file is no file.
    End,
}

pub(crate) async fn put(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    body: Body,
) -> Result<(StatusCode, String), Refusal> {
    let (path, permit) = (site.path(&name)?, site.begin_transfer()?);
    let unfinished = site.unfinished_path(&name);
    let (sender, parts) = mpsc::channel(PARTS_AHEAD);
    // Ended when the queue has room: the jobs before it are short until their first await.
    let job = site.pool.submit(move || receive(parts, unfinished, path, permit)).await?;
    let job = OwnedJob::new(job);
    // An error here drops the job, which removes what it has written.
    forward(body, sender, site.max_bytes).await?;
    // Ended by the job: it has all parts, or an error of its own.
    let bytes = job.join().await??;
    Ok((StatusCode::CREATED, format!("{bytes} bytes\n")))
}

/// Runs in tokio.
async fn forward(body: Body, parts: mpsc::Sender<Part>, max_bytes: u64) -> Result<(), Refusal> {
    let (mut body, mut heard) = (body.into_data_stream(), 0);
    // Each turn is ended by bytes, by the body's end, or by the limit. A client that goes has this dropped.
    while let Some(bytes) = timeout(STALL, body.next()).await.map_err(|_| Refusal::BadBody)? {
        let bytes = bytes.map_err(|_| Refusal::BadBody)?;
        heard += bytes.len() as u64;
        if heard > max_bytes {
            return Err(Refusal::TooLarge);
        }
        // Ended when the job has written a part, or has ended.
        if parts.send(Part::Bytes(bytes)).await.is_err() {
            break; // The job's own error says why.
        }
    }
    let _ = parts.send(Part::End).await;
    Ok(())
}

/// Runs on a worker. The file is there under its name whole or not at all.
async fn receive(
    mut parts: mpsc::Receiver<Part>,
    unfinished: PathBuf,
    path: PathBuf,
    _permit: OwnedSemaphorePermit,
) -> io::Result<u64> {
    let (file, unfinished) = create(unfinished).await?;
    let mut len = 0;
    loop {
        // Ended by the request's task: by a part, or by its own end, which drops the sender.
        match parts.recv().await {
            Some(Part::Bytes(bytes)) => {
                let count = bytes.len() as u64;
                // Ended by the disk. The ring has the bytes until then, also where this is aborted.
                file.write_all_at(bytes, len).await.0?;
                len += count;
            }
            Some(Part::End) => break,
            None => return Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
    // Both ended by the disk: the bytes are on it before the name is.
    file.sync_all().await?;
    file.close().await?;
    unfinished.finish(path).await?;
    Ok(len)
}

/// Not by the ring: an open that is dropped on its way there, as by an abort, loses its descriptor.
async fn create(path: PathBuf) -> io::Result<(File, Unfinished)> {
    // Ended by the open; an abort lets it end unseen, which closes and removes the file.
    let creating = millpond::spawn_blocking(move || {
        let file = fs::File::create_new(&path)?;
        Ok((file, Unfinished { path }))
    });
    let (file, unfinished) = creating.await.unwrap_or_else(|error| Err(io::Error::other(error)))?;
    Ok((File::from_std(file)?, unfinished))
}

/// A file that is not whole yet. Dropped, it is removed: after an error, an abort, or a cut-off.
struct Unfinished {
    path: PathBuf,
}

impl Unfinished {
    async fn finish(self, name: PathBuf) -> io::Result<()> {
        let renaming = millpond::spawn_blocking(move || fs::rename(&self.path, name));
        // Ended by the rename; an abort lets it end unseen.
        renaming.await.unwrap_or_else(|error| Err(io::Error::other(error)))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After a rename there is nothing left to remove. Else it is a call that may take the disk's time, on a worker; but
        // short, seldom, and nobody could await another.
        let _ = fs::remove_file(&self.path);
    }
}
