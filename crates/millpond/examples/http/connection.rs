//! One connection, from its first byte to its close.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use futures_lite::future::or;
use hyper::rt::Executor;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use millpond::net::Stopping;
use monoio::net::TcpStream;

use crate::answer;
use crate::limits::{HEAD_BYTES, STREAMS, UNSENT_BYTES};
use crate::protocol::{Protocol, detect};
use crate::site::Site;
use crate::stream::Stream;
use crate::watch::{Patience, Verdict, Watch};

/// What the requests of one connection share.
pub(crate) struct Connection {
    pub(crate) site: Arc<Site>,
    pub(crate) watch: Rc<Watch>,
}

/// Runs on the worker that got the connection, and stays there.
pub(crate) async fn serve(stream: TcpStream, site: Arc<Site>) {
    let watch = Watch::new(site.limits);
    site.tally.mine().connection();
    let mut stream = Stream::new(stream, &watch);
    let Some(protocol) = first_bytes(&mut stream, &watch, &site.stopping).await else { return };
    let connection = Rc::new(Connection { site: Arc::clone(&site), watch: Rc::clone(&watch) });
    let service = service_fn(move |request| answer::answer(request, Rc::clone(&connection)));
    // An error of either is the client's, and there is nobody else to tell.
    match protocol {
        Protocol::Http1 => {
            let connection = http1().serve_connection(stream, service);
            drive(connection, http1::Connection::graceful_shutdown, &watch, &site.stopping).await;
        }
        Protocol::Http2 => {
            watch.share();
            let connection = http2().serve_connection(stream, service);
            drive(connection, http2::Connection::graceful_shutdown, &watch, &site.stopping).await;
        }
    }
}

/// `None` if there is no time left for the first bytes, or no client.
async fn first_bytes(stream: &mut Stream, watch: &Watch, stopping: &Stopping) -> Option<Protocol> {
    let mut patience = Patience::new(watch);
    // Ended by bytes, by the watch's timer, or by the server's stop: each wakes this task.
    or(
        async { detect(stream).await.ok() },
        or(async { poll_fn(|cx| patience.poll_end(cx, watch).map(|_| None)).await }, async {
            stopping.wait().await;
            None
        }),
    )
    .await
}

/// Runs a connection to its end, which the watch or the server's stop may bring about. `close` tells it to take no further
/// requests.
async fn drive<C: Future>(connection: C, close: fn(Pin<&mut C>), watch: &Watch, stopping: &Stopping) {
    let mut connection = pin!(connection);
    let mut stop = pin!(stopping.wait());
    let mut patience = Patience::new(watch);
    let mut is_closing = false;
    // Ended by the connection's own end, or by the watch, whose timers never stop before that.
    poll_fn(|cx| {
        loop {
            if connection.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            match patience.poll_end(cx, watch) {
                Poll::Ready(Verdict::Close) if !is_closing => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending if !is_closing && stop.as_mut().poll(cx).is_ready() => {}
                Poll::Pending => return Poll::Pending,
            }
            is_closing = true;
            if watch.is_idle() {
                watch.closing();
            }
            close(connection.as_mut());
        }
    })
    .await;
}

fn http1() -> http1::Builder {
    let mut builder = http1::Builder::new();
    // Clients that close their side after the request (`nc -N`, old proxies) get their answer all the same.
    builder.half_close(true).writev(true).max_header_size(HEAD_BYTES as usize).max_buf_size(UNSENT_BYTES);
    builder
}

fn http2() -> http2::Builder<LocalExecutor> {
    let mut builder = http2::Builder::new(LocalExecutor);
    builder.max_concurrent_streams(STREAMS).max_header_list_size(HEAD_BYTES).max_send_buf_size(UNSENT_BYTES);
    builder
}

/// Puts the requests of an HTTP/2 connection beside it, on the same worker.
#[derive(Clone, Copy, Debug)]
struct LocalExecutor;

impl<F: Future<Output = ()> + 'static> Executor<F> for LocalExecutor {
    fn execute(&self, request: F) {
        // Detached: it ends with its answer, or soon after its connection.
        drop(millpond::spawn_local(request));
    }
}
