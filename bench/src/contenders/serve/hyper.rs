//! hyper on tokio's multi-thread runtime, as its guides show it: a task for each connection, a function for each request.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::tokio::serve_with;
use crate::workloads::serve::{self, Asked, Open, Server};

#[derive(Debug)]
pub(in crate::contenders) struct TokioHyper(#[expect(dead_code, reason = "it keeps the runtime")] Runtime);

impl Server for TokioHyper {
    /// Any worker may take a task that is ready.
    const KEEPS_CONNECTIONS: bool = false;

    fn start(workers: usize) -> io::Result<(Self, SocketAddr)> {
        let (runtime, address) = serve_with(workers, |stream| {
            tokio::spawn(handle(stream));
        })?;
        Ok((TokioHyper(runtime), address))
    }
}

async fn handle(stream: TcpStream) {
    let _open = Open::here();
    // The others write no date either.
    let connection =
        Builder::new().auto_date_header(false).serve_connection(TokioIo::new(stream), service_fn(answer));
    // Ended by the client. What went wrong shows there, as it has no answer then.
    let _ = connection.await;
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let Some(asked) = Asked::by(request.uri().path()) else {
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NOT_FOUND;
        return Ok(response);
    };
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(&asked.body())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(serve::CONTENT_TYPE));
    Ok(response)
}
