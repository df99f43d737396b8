//! The WebDriver protocol, as far as these tests speak it: JSON over HTTP to a chromedriver of our own.
//!
//! Written out because a client that there is, fantoccini, brings an HTTP client, an async runtime and Mozilla's types of the
//! whole protocol: 97 crates, 55 of them needed by nothing else here, for a handful of requests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::thread;

use serde_json::{Value, json};

use crate::tools::{Service, ensure};

/// A chromedriver. Dropping it ends it, and with it what is left of its browsers.
pub(crate) struct Driver {
    _service: Service,
    port: u16,
}

impl Driver {
    pub(crate) fn start() -> Driver {
        ensure("chromedriver", "chromium-driver");
        let mut service = Service::start("chromedriver", &["--port=0"], |command| {
            command.stdout(Stdio::piped());
        });
        let mut lines = BufReader::new(service.child().stdout.take().expect("a pipe")).lines();
        // Ended by the line, or by its end.
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.strip_suffix('.')?.rsplit_once("started successfully on port ")?.1.parse().ok()
        });
        // Read on, so that it never waits for its own log. Ended by its end.
        thread::spawn(move || lines.for_each(drop));
        Driver { _service: service, port: port.expect("chromedriver says its port") }
    }

    /// The answer's `value`.
    pub(crate) fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).map_err(|error| error.to_string())?;
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.port,
            body.len()
        );
        let answer = stream.write_all(head.as_bytes()).and_then(|()| read_answer(stream));
        let answer = answer.map_err(|error| format!("{method} {path}: {error}"))?;
        let value =
            serde_json::from_slice::<Value>(&answer).map_err(|error| error.to_string())?["value"].take();
        match value["error"].as_str() {
            Some(error) => Err(format!("{method} {path}: {error}: {}", value["message"])),
            None => Ok(value),
        }
    }
}

/// The body: chromedriver tells its length, and keeps the connection.
fn read_answer(stream: TcpStream) -> std::io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().expect("a length");
            }
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}

/// What a new session is asked for: a browser that asks nobody but the page's server.
pub(crate) fn capabilities(profile: &str) -> Value {
    let args = [
        "--headless",
        // Root's browsers have no sandbox; the pages are our own.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        profile,
    ];
    json!({"capabilities": {"alwaysMatch": {
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {"args": args},
    }}})
}
