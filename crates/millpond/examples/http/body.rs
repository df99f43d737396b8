//! The body of an answer.

use std::future::Future;
use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Bytes, Frame, SizeHint};
use monoio::buf::IoBufMut;
use monoio::fs::File;

use crate::limits::CHUNK_BYTES;
use crate::watch::InFlight;

/// Given to hyper, which drops it when the last of it is taken, or the client is gone. So it keeps the request in flight.
pub(crate) struct Body {
    content: Content,
    in_flight: Option<InFlight>,
}

enum Content {
    Nothing,
    Bytes(Bytes),
    Steps(Steps),
}

/// A stretch of a file, read step by step as the client takes it.
struct Steps {
    /// Where the next step begins, and how much there is to come with it.
    at: u64,
    left: u64,
    /// The step that is being read; it brings the file back.
    step: Step,
}

type Step = Pin<Box<dyn Future<Output = (File, io::Result<Bytes>)>>>;

impl Body {
    pub(crate) fn nothing() -> Self {
        Self { content: Content::Nothing, in_flight: None }
    }

    pub(crate) fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self { content: Content::Bytes(bytes.into()), in_flight: None }
    }

    /// `len` bytes of a file. What fits a step is read now, and goes out in one write with its head.
    pub(crate) async fn of_file(file: File, at: u64, len: u64) -> io::Result<Self> {
        if len <= CHUNK_BYTES {
            return Ok(Self::bytes(read(&file, at, len).await?));
        }
        let content = Content::Steps(Steps { at, left: len, step: Box::pin(step(file, at, CHUNK_BYTES)) });
        Ok(Self { content, in_flight: None })
    }

    pub(crate) fn keeps(mut self, request: InFlight) -> Self {
        self.in_flight = Some(request);
        self
    }

    fn left(&self) -> u64 {
        match &self.content {
            Content::Nothing => 0,
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Steps(steps) => steps.left,
        }
    }
}

async fn step(file: File, at: u64, len: u64) -> (File, io::Result<Bytes>) {
    let read = read(&file, at, len).await;
    (file, read)
}

/// Exactly `len` bytes, or an error: a file that has become shorter cannot keep what its head has promised.
async fn read(file: &File, at: u64, len: u64) -> io::Result<Bytes> {
    let len = usize::try_from(len).map_err(io::Error::other)?;
    if len == 0 {
        return Ok(Bytes::new());
    }
    // Ended by the kernel: a file of a disk is always ready, sooner or later.
    let (result, buffer) = file.read_exact_at(Vec::with_capacity(len).slice_mut(..len), at).await;
    result.map(|()| buffer.into_inner().into())
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Content::Steps(steps) = &mut self.content {
            let frame = ready!(steps.poll_step(cx)).map(Frame::data);
            if frame.is_err() || steps.left == 0 {
                self.content = Content::Nothing;
            }
            return Poll::Ready(Some(frame));
        }
        match mem::replace(&mut self.content, Content::Nothing) {
            Content::Bytes(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            _ => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left())
    }
}

impl Steps {
    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        let (file, result) = ready!(self.step.as_mut().poll(cx));
        let bytes = match result {
            Ok(bytes) => bytes,
            Err(error) => return Poll::Ready(Err(error)),
        };
        self.at += bytes.len() as u64;
        self.left -= bytes.len() as u64;
        if self.left > 0 {
            self.step = Box::pin(step(file, self.at, self.left.min(CHUNK_BYTES)));
        }
        Poll::Ready(Ok(bytes))
    }
}
