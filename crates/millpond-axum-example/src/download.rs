//! A file on its way to a client: the pool reads it, chunk by chunk, as the client takes it.

use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
use millpond::time::timeout;
use monoio::buf::IoBufMut;
use monoio::fs::File;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use crate::job::OwnedJob;
use crate::refusal::Refusal;
use crate::site::Site;

/// Large enough that a chunk's way through ring, channel and socket is little beside the copy.
const CHUNK_BYTES: u64 = 128 << 10;

/// One that the client is sent while the next one is read. More would be memory and no speed.
const CHUNKS_AHEAD: usize = 1;

/// How long a client may take nothing before its file is closed.
const STALL: Duration = Duration::from_secs(30);

/// The body of the answer. hyper drops it when the client has taken all, or has gone, and with it goes the job.
struct Download {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    _job: OwnedJob<()>,
}

pub(crate) async fn get(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let (path, permit) = (site.path(&name)?, site.begin_transfer()?);
    let (opened, head) = oneshot::channel();
    let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
    // Ended when the queue has room: the jobs before it are short until their first await.
    let job = site.pool.submit(move || send(path, opened, sender, permit)).await?;
    let job = OwnedJob::new(job);
    // Ended by the open, or with the job, whose end drops the sender.
    let len = head.await.map_err(|_| Refusal::Stopping)??;
    let body = Body::from_stream(Download { chunks, _job: job });
    let head = [(header::CONTENT_LENGTH, len.to_string()), (header::CONTENT_TYPE, KIND.to_owned())];
    Ok((head, body).into_response())
}

/// Of what it cannot know.
const KIND: &str = "application/octet-stream";

/// Runs on a worker. Where it ends early, the client sees fewer bytes than the head has told, and knows.
async fn send(
    path: PathBuf,
    opened: oneshot::Sender<io::Result<u64>>,
    chunks: mpsc::Sender<io::Result<Bytes>>,
    _permit: OwnedSemaphorePermit,
) {
    let (file, len) = match open(path).await {
        Ok(file) => file,
        Err(error) => return drop(opened.send(Err(error))),
    };
    if opened.send(Ok(len)).is_err() {
        return;
    }
    let mut at = 0;
    while at < len {
        let chunk = read(&file, at, CHUNK_BYTES.min(len - at)).await;
        let read = chunk.as_ref().map_or(0, |bytes| bytes.len() as u64);
        at += read;
        // Ended when the client has taken the chunk before, by its going, which drops the receiver, or by the limit.
        let sent = timeout(STALL, chunks.send(chunk)).await;
        if read == 0 || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// Not by the ring: an open that is dropped on its way there, as by an abort, loses its descriptor.
async fn open(path: PathBuf) -> io::Result<(File, u64)> {
    let opening = millpond::spawn_blocking(move || {
        let file = std::fs::File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_file() { Ok((file, metadata.len())) } else { Err(ErrorKind::NotFound.into()) }
    });
    // Ended by the open; an abort lets it end unseen, and closes what it opened.
    let (file, len) = opening.await.unwrap_or_else(|error| Err(io::Error::other(error)))?;
    Ok((File::from_std(file)?, len))
}

/// Some bytes from there on; an error, if there are none.
async fn read(file: &File, at: u64, most: u64) -> io::Result<Bytes> {
    let most = most as usize; // no more than a chunk
    // Ended by the kernel: a file of a disk is always ready, sooner or later.
    let (read, buffer) = file.read_at(Vec::with_capacity(most).slice_mut(..most), at).await;
    match read? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(buffer.into_inner().into()),
    }
}

impl Stream for Download {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // The channel has the waker: the job's send, on a worker, wakes tokio's task.
        self.chunks.poll_recv(cx)
    }
}
