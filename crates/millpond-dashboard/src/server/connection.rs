//! One connection: a request, and its answer.

use super::{
    events,
    feed::Feed,
    guard::Guard,
    limits::{CLOSE_TIMEOUT, HEAD_BYTES_MAX, UNREAD_BYTES_MAX},
    page,
    readers::Readers,
    request::{Malformed, Method, Request},
    response::{HTML, JSON, Response},
};
use crate::openmetrics::{self, Format};
use futures_lite::future::or;
use millpond::{
    net::Stopping,
    time::{sleep, timeout},
};
use monoio::{
    buf::{IoBuf, IoBufMut},
    io::{AsyncReadRent, AsyncWriteRent},
    net::TcpStream,
};
use std::{io, sync::Arc, time::Duration};

/// What all connections of a dashboard share.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) feed: Feed,
    pub(crate) guard: Guard,
    pub(crate) readers: Readers,
    pub(crate) head_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) stopping: Stopping,
}

/// What a request leads to.
enum Answer {
    Whole(Response),
    Events,
}

/// Runs on the worker that got the connection. Ends by itself soon after the server, or the pool, has been told to stop.
pub(crate) async fn serve(mut stream: TcpStream, site: Arc<Site>) {
    let head = read_head(&mut stream, site.head_timeout);
    // Ended by the head or its timer; by the stop, whose word stays.
    let head = or(async { Some(head.await) }, async {
        site.stopping.wait().await;
        None
    });
    let Some(Some(request)) = head.await else { return };
    let with_body = !matches!(&request, Ok(Request { method: Method::Head, .. }));
    match answer(request, &site) {
        Answer::Events if with_body => events::send(&mut stream, &site).await,
        Answer::Events => finish(&mut stream, super::response::stream_head().into_bytes(), &site).await,
        Answer::Whole(response) => finish(&mut stream, response.into_bytes(with_body), &site).await,
    }
}

fn answer(request: Result<Request, Response>, site: &Site) -> Answer {
    let request = match request {
        Ok(request) => request,
        Err(response) => return Answer::Whole(response),
    };
    if let Err(refusal) = site.guard.check(&request) {
        return Answer::Whole(Response::refused(refusal));
    }
    if request.method == Method::Other {
        return Answer::Whole(Response::method_not_allowed());
    }
    Answer::Whole(match &*request.path {
        "/" => Response::ok(HTML, page::HTML),
        "/events" => return Answer::Events,
        "/json" => Response::ok(JSON, site.feed.full_json()),
        "/metrics" => metrics(request.accept.as_deref(), &site.feed),
        _ => Response::not_found(),
    })
}

fn metrics(accept: Option<&str>, feed: &Feed) -> Response {
    let format = Format::for_accept(accept.unwrap_or_default());
    let metrics = feed.pool().metrics();
    let text = match feed.name() {
        Some(name) => openmetrics::encode_named([(name, &metrics)], format),
        None => openmetrics::encode(&metrics, format),
    };
    Response::ok(format.content_type(), text)
}

/// Reads until the head is whole. `None`: the client has gone, or never said a word. An error is what to answer.
async fn read_head(stream: &mut TcpStream, limit: Duration) -> Option<Result<Request, Response>> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES_MAX);
    let read = async {
        loop {
            let begin = bytes.len();
            // Ended by bytes, or by the client's end. There is room: a head that has filled it is refused below.
            let (read, slice) = stream.read(std::mem::take(&mut bytes).slice_mut(begin..)).await;
            bytes = slice.into_inner();
            match read {
                Ok(0) if begin > 0 => return Some(Err(Response::malformed(Malformed::NotHttp))),
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
            match Request::parse(&bytes) {
                Ok(Some(request)) => return Some(Ok(request)),
                Ok(None) => {}
                Err(malformed) => return Some(Err(Response::malformed(malformed))),
            }
        }
    };
    // Ended by the read, or by the worker's timers.
    timeout(limit, read).await.unwrap_or_else(|_| Some(Err(Response::timeout())))
}

/// Sends an answer, and closes.
async fn finish(stream: &mut TcpStream, bytes: Vec<u8>, site: &Site) {
    let answered = async {
        if write_all(stream, Arc::new(bytes), site.write_timeout).await.is_ok() {
            close(stream).await;
        }
    };
    // Ended by the client, which takes its answer and closes; by the timers of write and close; soon after the stop.
    or(answered, async {
        site.stopping.wait().await;
        sleep(CLOSE_TIMEOUT).await;
    })
    .await;
}

/// Sends all of it. Each step has `patience` to move at least a byte.
pub(crate) async fn write_all(
    stream: &mut TcpStream,
    bytes: Arc<Vec<u8>>,
    patience: Duration,
) -> io::Result<()> {
    let mut sent = 0;
    while sent < bytes.len() {
        let step = stream.write(Arc::clone(&bytes).slice(sent..));
        // Ended by the kernel, once it has taken some; by the worker's timers. The bytes live until the ring has let go of
        // them, also when the write is dropped.
        let (written, _) = timeout(patience, step).await.map_err(|_| io::ErrorKind::TimedOut)?;
        match written? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            some => sent += some,
        }
    }
    Ok(())
}

/// Says the end, and hears the client out until it says its own: to bytes that come after a close the kernel answers with a
/// reset, which may overtake the answer.
async fn close(stream: &mut TcpStream) {
    if stream.shutdown().await.is_err() {
        return;
    }
    let unread = async {
        let (mut buffer, mut unread) = (vec![0; 4096], 0);
        while unread < UNREAD_BYTES_MAX {
            // Ended by the client: bytes, or its end.
            let (read, bytes) = stream.read(buffer).await;
            match read {
                Ok(some) if some > 0 => unread += some,
                _ => return,
            }
            buffer = bytes;
        }
    };
    // Ended by that, or by the worker's timers.
    let _ = timeout(CLOSE_TIMEOUT, unread).await;
}
