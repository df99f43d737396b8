//! An answer: its head, and its body.

use super::{guard::Refusal, page, request::Malformed};
use std::time::SystemTime;

/// What is sent to a client. All answers end their connection, so none needs a length to be understood; they have it so that
/// a client knows one that was cut short.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    status: &'static str,
    content_type: &'static str,
    /// A whole line, with its end.
    field: &'static str,
    body: Vec<u8>,
}

pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const JSON: &str = "application/json";
pub(crate) const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

impl Response {
    pub(crate) fn ok(content_type: &'static str, body: impl Into<Vec<u8>>) -> Response {
        Response { status: "200 OK", content_type, field: "", body: body.into() }
    }

    fn refusal(status: &'static str, field: &'static str, message: &str) -> Response {
        Response { status, content_type: TEXT, field, body: format!("{message}\n").into_bytes() }
    }

    pub(crate) fn not_found() -> Response {
        Response::refusal("404 Not Found", "", "there are /, /events, /json and /metrics")
    }

    pub(crate) fn method_not_allowed() -> Response {
        Response::refusal("405 Method Not Allowed", "Allow: GET, HEAD\r\n", "only GET and HEAD are answered")
    }

    pub(crate) fn timeout() -> Response {
        Response::refusal("408 Request Timeout", "", "the request took too long to come")
    }

    pub(crate) fn too_many_readers() -> Response {
        let message = "as many read the events as may; raise max_readers, or close a page";
        Response::refusal("503 Service Unavailable", "Retry-After: 5\r\n", message)
    }

    pub(crate) fn refused(refusal: Refusal) -> Response {
        let ask = "WWW-Authenticate: Bearer realm=\"millpond-dashboard\"\r\n";
        match refusal {
            Refusal::NoToken => {
                let message = "this dashboard wants its token: append ?token=… to the address, or send `Authorization: Bearer …`";
                Response::refusal("401 Unauthorized", ask, message)
            }
            Refusal::WrongToken => Response::refusal("401 Unauthorized", ask, "this is not the token"),
            Refusal::ForeignHost => {
                let message = "the Host of the request is not this machine's loopback: open the dashboard by localhost or \
                               127.0.0.1, or set a token, with which any name will do";
                Response::refusal("403 Forbidden", "", message)
            }
        }
    }

    pub(crate) fn malformed(malformed: Malformed) -> Response {
        match malformed {
            Malformed::NotHttp => Response::refusal("400 Bad Request", "", "this is not HTTP"),
            Malformed::Host => Response::refusal("400 Bad Request", "", "a request needs one Host"),
            Malformed::TooLarge => Response::refusal(
                "431 Request Header Fields Too Large",
                "",
                "the request's head is too large",
            ),
            Malformed::Version => {
                Response::refusal("505 HTTP Version Not Supported", "", "HTTP/1.1 is spoken here, and 1.0")
            }
        }
    }

    /// The bytes to send; without the body for HEAD.
    pub(crate) fn into_bytes(self, with_body: bool) -> Vec<u8> {
        let Response { status, content_type, field, body } = self;
        let field = format!("{field}Content-Length: {}\r\n", body.len());
        let mut bytes = head(status, content_type, &field).into_bytes();
        if with_body {
            bytes.extend(body);
        }
        bytes
    }
}

/// The head of a stream of events, which ends with its connection.
pub(crate) fn stream_head() -> String {
    // `X-Accel-Buffering` is nginx's: it would else collect events before it passes them on.
    head("200 OK", EVENT_STREAM, "X-Accel-Buffering: no\r\n")
}

/// What every answer says. The token may stand in the address of a page, so no page is told where its reader comes from
/// (`Referrer-Policy`), nothing is kept, and nothing is let in that the page does not have in itself.
fn head(status: &str, content_type: &str, fields: &str) -> String {
    let date = httpdate::fmt_http_date(SystemTime::now());
    let policy = page::CONTENT_SECURITY_POLICY;
    format!(
        "HTTP/1.1 {status}\r\n\
         Date: {date}\r\n\
         Connection: close\r\n\
         Content-Type: {content_type}\r\n\
         {fields}\
         Cache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\n\
         Referrer-Policy: no-referrer\r\n\
         Cross-Origin-Resource-Policy: same-origin\r\n\
         X-Frame-Options: DENY\r\n\
         Content-Security-Policy: {policy}\r\n\
         \r\n"
    )
}
