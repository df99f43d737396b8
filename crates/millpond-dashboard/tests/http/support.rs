//! What the tests share: a pool with a dashboard, and clients.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use millpond::Pool;
use millpond_dashboard::{Builder, Dashboard};
use serde_json::Value;

use crate::common;
use crate::tools::tool;

/// Far longer than any answer takes: only a hang gets there.
const HANG: Duration = Duration::from_secs(100);

pub(crate) const TOKEN: &str = "a-token-for-tests-only";

/// A pool of two workers, and its dashboard, in the order in which they are to be dropped.
pub(crate) struct Served {
    pub(crate) dashboard: Dashboard,
    pub(crate) pool: Pool,
}

pub(crate) fn serve() -> Served {
    serve_with(Dashboard::builder())
}

pub(crate) fn serve_with(builder: Builder) -> Served {
    let pool = common::builder(2).driver(common::io_drivers()[0]).build().expect("a pool starts");
    let dashboard = builder.serve(&pool, "127.0.0.1:0").expect("a dashboard starts");
    Served { dashboard, pool }
}

impl Served {
    pub(crate) fn addr(&self) -> SocketAddr {
        self.dashboard.local_addr()
    }

    pub(crate) fn get(&self, target: &str) -> Got {
        send(self.addr(), request("GET", target, ""))
    }

    pub(crate) fn json(&self) -> Value {
        let got = self.get("/json");
        assert_eq!(got.status, 200, "{got:?}");
        serde_json::from_slice(&got.body).expect("it is JSON")
    }

    pub(crate) fn events(&self) -> Events {
        Events::open(self.addr(), "/events")
    }

    /// Returns once nobody reads.
    pub(crate) fn wait_for_readers(&self, readers: usize) {
        // Ended by the readers' tasks, or by the test's limit.
        while self.dashboard.readers() != readers {
            thread::yield_now();
        }
    }
}

/// A request, with fields that each end their lines.
pub(crate) fn request(method: &str, target: &str, fields: &str) -> String {
    format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n")
}

pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("the dashboard listens");
    // A limit on what only a hang can bring about, so that it has the test's name.
    stream.set_read_timeout(Some(HANG)).expect("a limit");
    stream
}

/// Sends these bytes over a socket of their own, and gives the answer.
pub(crate) fn send(addr: SocketAddr, bytes: impl AsRef<[u8]>) -> Got {
    let answer = exchange(addr, bytes.as_ref());
    Got::parse(&answer)
}

/// All that comes until the server closes, after these bytes and the client's end.
pub(crate) fn exchange(addr: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(addr);
    // A refusal may close the connection while there is more to send.
    let sent = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    if sent.is_ok() {
        read.expect("the server closes in order");
    }
    answer
}

/// What curl gets.
pub(crate) fn curl(url: &str, options: &[&str]) -> Got {
    let output = tool("curl", "curl")
        .args(["--silent", "--show-error", "--include", "--path-as-is", "--max-time", "100"])
        .args(options)
        .arg(url)
        .output()
        .expect("curl runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {options:?} {url}: {} {complaint}", output.status);
    Got::parse(&output.stdout)
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Got {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    #[track_caller]
    pub(crate) fn parse(bytes: &[u8]) -> Got {
        let shown = String::from_utf8_lossy(bytes);
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no end of a head in {shown:?}"));
        let head = std::str::from_utf8(&bytes[..end]).expect("a head is text");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no field: {line:?}"));
            (name.to_lowercase(), value.to_owned())
        });
        Got {
            status: status.unwrap_or_else(|| panic!("no status in {shown:?}")),
            headers: headers.collect(),
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter().filter(|(found, _)| found == name);
        let value = named.next().map(|(_, value)| value.as_str());
        assert!(named.next().is_none(), "{name} twice in {self:?}");
        value
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("it is text")
    }
}

/// A reader of the stream of events, as a browser's `EventSource` is one.
pub(crate) struct Events {
    reader: BufReader<TcpStream>,
    pub(crate) head: String,
    pub(crate) retry: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Event {
    pub(crate) id: Option<u64>,
    pub(crate) event: String,
    pub(crate) data: String,
}

impl Event {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.data).expect("the data is JSON")
    }
}

impl Events {
    pub(crate) fn open(addr: SocketAddr, target: &str) -> Events {
        let mut events = Events::from_stream(connect(addr), target);
        events.read_head();
        events
    }

    /// Asks, and reads nothing yet.
    pub(crate) fn from_stream(mut stream: TcpStream, target: &str) -> Events {
        stream.write_all(request("GET", target, "").as_bytes()).expect("the dashboard listens");
        Events { reader: BufReader::new(stream), head: String::new(), retry: None }
    }

    pub(crate) fn read_head(&mut self) {
        while !self.head.ends_with("\r\n\r\n") {
            let read = self.reader.read_line(&mut self.head).expect("a head");
            assert!(read > 0, "no end of a head in {:?}", self.head);
        }
        assert!(self.head.starts_with("HTTP/1.1 200 OK\r\n"), "{}", self.head);
    }

    /// `None`: the stream has ended. An event that is cut short is none.
    pub(crate) fn next_event(&mut self) -> Option<Event> {
        let mut event = Event::default();
        loop {
            let mut line = String::new();
            match self.reader.read_line(&mut line) {
                Ok(0) => return None,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no event came: {error}"),
            }
            let line = line.strip_suffix('\n')?;
            match line.split_once(": ") {
                None if line.is_empty() && event == Event::default() => {}
                None if line.is_empty() => return Some(event),
                Some(("id", id)) => event.id = Some(id.parse().expect("a number")),
                Some(("event", name)) => name.clone_into(&mut event.event),
                Some(("data", data)) => data.clone_into(&mut event.data),
                Some(("retry", retry)) => self.retry = Some(retry.parse().expect("a number")),
                _ => panic!("no field of an event: {line:?}"),
            }
        }
    }

    /// The next event without a name: a state.
    pub(crate) fn state(&mut self) -> Event {
        loop {
            let event = self.next_event().expect("the stream goes on");
            if event.event.is_empty() {
                return event;
            }
        }
    }

    /// Reads until the stream ends.
    pub(crate) fn drain(&mut self) {
        while self.next_event().is_some() {}
    }
}
