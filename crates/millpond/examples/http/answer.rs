//! A request and its answer.

use std::convert::Infallible;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;

use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use millpond::time::timeout;
use monoio::fs::File;
use rustix::io::Errno;

use crate::body::Body;
use crate::connection::Connection;
use crate::folder::{Content, Found};
use crate::kinds;
use crate::limits::BODY_BYTES;
use crate::part::Part;
use crate::target::Target;
use crate::validators::Validators;

/// What a request comes to; the error is the status that says why not.
type Answer = Result<Response<Body>, StatusCode>;

/// All methods that this server knows.
const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD");

pub(crate) async fn answer(
    mut request: Request<Incoming>,
    connection: Rc<Connection>,
) -> Result<Response<Body>, Infallible> {
    let in_flight = connection.watch.request();
    connection.site.tally.mine().request();
    let mut response = match hear(&mut request, &connection).await {
        Ok(()) => find(&request, &connection).await.unwrap_or_else(refuse),
        Err(status) => cut_short(&request, status, &connection),
    };
    if request.method() == Method::HEAD {
        *response.body_mut() = Body::nothing();
    }
    Ok(response.map(|body| body.keeps(in_flight)))
}

/// Hears the body out, if it is a small one. The error is for one that is not, or does not come.
async fn hear(request: &mut Request<Incoming>, connection: &Connection) -> Result<(), StatusCode> {
    let body = request.body_mut();
    if body.is_end_stream() {
        return Ok(());
    }
    if body.size_hint().lower() > BODY_BYTES {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    // Ended by the body's last byte, its limit, the client's end, or the timer.
    match timeout(connection.watch.limits().header, discard(body)).await {
        Ok(result) => result,
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// Refuses a request whose body is not heard out. HTTP/1 has nothing but the close to say where the next one begins.
fn cut_short(request: &Request<Incoming>, status: StatusCode, connection: &Connection) -> Response<Body> {
    connection.watch.cut_short();
    let mut response = refuse(status);
    if request.version() <= Version::HTTP_11 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn discard(body: &mut Incoming) -> Result<(), StatusCode> {
    let mut heard = 0;
    while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        heard += frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
        if heard > BODY_BYTES {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
    }
    Ok(())
}

async fn find(request: &Request<Incoming>, connection: &Connection) -> Answer {
    if request.version() == Version::HTTP_11 && request.headers().get_all(header::HOST).iter().count() != 1 {
        return Err(StatusCode::BAD_REQUEST);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    let target = Target::of(request.uri().path())?;
    match connection.site.folder.find(&target.path).await {
        Ok(Found::File(content)) => serve(request, &target, content).await,
        Ok(Found::Folder) if !target.is_page => Ok(redirect(request.uri())),
        Ok(Found::Folder) => Err(StatusCode::NOT_FOUND),
        Err(error) => Err(status_of(error)),
    }
}

async fn serve(request: &Request<Incoming>, target: &Target, content: Content) -> Answer {
    let validators = Validators::of(&content);
    let mut response = Response::new(Body::nothing());
    let headers = response.headers_mut();
    validators.write(headers);
    if let Some(status) = validators.judge(request) {
        *response.status_mut() = status;
        return Ok(response);
    }
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kinds::of(&target.path)));
    match part(request, &validators, content.len) {
        Part::Whole => {
            let whole = 0..content.len;
            send(request, response, content, whole).await
        }
        Part::Bytes(bytes) => {
            let place = format!("bytes {}-{}/{}", bytes.start, bytes.end - 1, content.len);
            headers.insert(header::CONTENT_RANGE, text(&place));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            send(request, response, content, bytes).await
        }
        Part::Beyond => Ok(beyond(content.len)),
    }
}

/// Puts these bytes of the file below the head; of HEAD their number only.
async fn send(
    request: &Request<Incoming>,
    mut response: Response<Body>,
    content: Content,
    bytes: Range<u64>,
) -> Answer {
    let len = bytes.end - bytes.start;
    response.headers_mut().insert(header::CONTENT_LENGTH, len.into());
    if request.method() == Method::GET {
        let file = File::from_std(content.file).map_err(|error| failure(&error))?;
        let body = Body::of_file(file, bytes.start, len).await;
        *response.body_mut() = body.map_err(|error| failure(&error))?;
    }
    Ok(response)
}

/// Of HEAD the whole, always: only GET knows ranges.
fn part(request: &Request<Incoming>, validators: &Validators, len: u64) -> Part {
    match request.headers().get(header::RANGE) {
        Some(range) if request.method() == Method::GET && validators.may_be_parted(request.headers()) => {
            Part::of(range.as_bytes(), len)
        }
        _ => Part::Whole,
    }
}

fn beyond(len: u64) -> Response<Body> {
    let mut response = refuse(StatusCode::RANGE_NOT_SATISFIABLE);
    response.headers_mut().insert(header::CONTENT_RANGE, text(&format!("bytes */{len}")));
    response
}

/// To the same with a slash, so that the links of a folder's page lead into the folder.
fn redirect(uri: &Uri) -> Response<Body> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut response = refuse(StatusCode::MOVED_PERMANENTLY);
    response.headers_mut().insert(header::LOCATION, text(&format!("{}/{query}", uri.path())));
    response
}

/// A short page with the status, as the whole answer.
fn refuse(status: StatusCode) -> Response<Body> {
    let page = format!("{status}\n");
    let mut response = Response::new(Body::nothing());
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CONTENT_LENGTH, page.len().into());
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, ALLOWED);
    }
    *response.body_mut() = Body::bytes(page);
    *response.status_mut() = status;
    response
}

/// Of numbers, and of what was a header or a URI before.
fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| unreachable!("{value:?} is fit for a header"))
}

fn status_of(error: Errno) -> StatusCode {
    match error {
        Errno::ACCESS | Errno::PERM => StatusCode::FORBIDDEN,
        // EXDEV: out of the folder. EAGAIN: a rename came between, and the kernel is not sure that it stayed inside.
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::XDEV | Errno::NAMETOOLONG | Errno::NXIO => {
            StatusCode::NOT_FOUND
        }
        Errno::MFILE | Errno::NFILE | Errno::AGAIN | Errno::CANCELED => StatusCode::SERVICE_UNAVAILABLE,
        other => failure(&other.into()),
    }
}

/// Something is wrong on this side, and who runs the server is told.
fn failure(error: &io::Error) -> StatusCode {
    crate::complain(&error.to_string());
    StatusCode::INTERNAL_SERVER_ERROR
}
