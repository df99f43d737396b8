//! What the tests share: a folder of files, a server of it, and clients.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

/// Held by every server, and by a test alone that counts what is exact only while its workers get CPU time.
static ALONE: RwLock<()> = RwLock::new(());

/// Far longer than any test takes: only a hang gets there.
const HANG_S: u64 = 120;

/// The versions of HTTP, as curl is told them.
pub(crate) const VERSIONS: [&str; 2] = ["--http1.1", "--http2-prior-knowledge"];

/// The program, to be given its arguments.
pub(crate) fn program() -> Command {
    Command::new(path())
}

/// Where it is: cargo builds examples beside the tests of a package.
fn path() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
    let program = profile.join("examples/http");
    assert!(program.is_file(), "{program:?} is missing: build it with `cargo build --example http`");
    program
}

/// A program from a package of Debian's.
pub(crate) fn client(program: &str) -> Command {
    let package = match program {
        "h2load" | "nghttp" => "nghttp2-client",
        "setpriv" => "util-linux",
        other => other,
    };
    let there = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    assert!(there, "this test needs {program}: `sudo apt-get install {package}` installs it");
    Command::new(program)
}

/// A folder to serve, removed at the end of its test. It lies in another one, in which secrets can be put beside it.
pub(crate) struct Folder {
    outer: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let outer = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(outer.path().join("served")).expect("a folder");
        Self { outer }
    }

    pub(crate) fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.outer.path().join("served").join(name.as_ref())
    }

    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.outer.path().join(name)
    }

    /// Writes a file, and the folders above it.
    pub(crate) fn file(&self, name: impl AsRef<OsStr>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("folders");
        fs::write(&path, content).expect("a file");
        path
    }

    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, options: &[&str]) -> Server {
        let mut command = program();
        command.args(["--addr", "127.0.0.1:0", "--workers", "2"]).args(options).arg(self.path(""));
        Server::start(command, Company::Others(shared()))
    }

    /// With no other server beside it. Waits for those that run, and holds up the next ones.
    pub(crate) fn serve_alone(&self, options: &[&str]) -> Server {
        let alone = ALONE.write().unwrap_or_else(PoisonError::into_inner);
        let mut command = program();
        command.args(["--addr", "127.0.0.1:0"]).args(options).arg(self.path(""));
        Server::start(command, Company::Nobody(alone))
    }

    /// A server that may read what the permissions allow, and no more, also where the tests are run by root.
    pub(crate) fn serve_as_anyone(&self) -> Server {
        if !geteuid().is_root() {
            return self.serve();
        }
        let mut command = client("setpriv");
        command.arg("--bounding-set=-dac_override,-dac_read_search").arg(path());
        command.args(["--addr", "127.0.0.1:0"]).arg(self.path(""));
        Server::start(command, Company::Others(shared()))
    }
}

fn shared() -> RwLockReadGuard<'static, ()> {
    // Ended when no test is alone: each ends its server. So no test may have two at once.
    ALONE.read().unwrap_or_else(PoisonError::into_inner)
}

/// Who else runs beside a server, until it is dropped.
enum Company {
    Others(#[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'static, ()>),
    Nobody(#[expect(dead_code, reason = "held, not read")] RwLockWriteGuard<'static, ()>),
}

/// A running server. It is ended for good if the test does not end it.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    pub(crate) addr: SocketAddr,
    /// Keeps the watchdog quiet; dropped when all is over.
    _is_alive: mpsc::Sender<()>,
    _company: Company,
}

impl Server {
    fn start(mut command: Command, company: Company) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a pipe");
        let addr = line.strip_prefix("listening on http://").expect("it says where it listens");
        let addr = addr.trim_end().parse().expect("an address");
        let is_alive = watch(Pid::from_child(&child));
        Self { child, stdout, addr, _is_alive: is_alive, _company: company }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// What curl gets for `path`, which it sends as it is.
    pub(crate) fn get(&self, version: &str, path: &str, options: &[&str]) -> Got {
        let mut curl = client("curl");
        curl.args(["--silent", "--show-error", "--include", "--path-as-is", version]).args(options);
        let output = curl.arg(self.url(path)).output().expect("curl runs");
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "curl {options:?} {path}: {} {complaint}", output.status);
        Got::parse(&output.stdout)
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.addr).expect("the server listens");
        // A limit on what only a hang can bring about, so that it has the test's name.
        stream.set_read_timeout(Some(Duration::from_secs(HANG_S))).expect("a limit");
        stream
    }

    /// Sends these bytes over a socket of their own, and gives all that comes until the server closes.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) -> Vec<u8> {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).expect("the server listens");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server closes in order");
        answer
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is there");
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("a pipe");
        line.trim_end().to_owned()
    }

    /// Waits for the end after a signal: the status, and what was printed after the first line.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut report = String::new();
        self.stdout.read_to_string(&mut report).expect("a pipe");
        (self.child.wait().expect("a child of ours").code(), report)
    }

    /// SIGTERM, and the report of a server that ended well.
    pub(crate) fn stop(self) -> Report {
        self.signal(Signal::TERM);
        self.finish()
    }

    /// The report of a server that was told to stop, and ended well.
    pub(crate) fn finish(self) -> Report {
        let (status, report) = self.end();
        assert_eq!(status, Some(0), "{report}");
        Report::parse(&report)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends a server that a test waits for in vain: the test then fails at whatever it waits for.
fn watch(server: Pid) -> mpsc::Sender<()> {
    let (is_alive, over) = mpsc::channel();
    thread::spawn(move || {
        // Ended by the drop of the sender, with the test's server.
        if over.recv_timeout(Duration::from_secs(HANG_S)) == Err(RecvTimeoutError::Timeout) {
            let _ = kill_process(server, Signal::KILL);
        }
    });
    is_alive
}

/// An answer, of either version.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Got {
    /// Of the last answer in `bytes`: others before it are `100 Continue`.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head has an end");
        let head = std::str::from_utf8(&bytes[..end]).expect("a head is text");
        let body = bytes[end + 4..].to_vec();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status in {head:?}"));
        if status == 100 {
            return Self::parse(&body);
        }
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}"));
            (name.to_lowercase(), value.to_owned())
        });
        Self { status, headers: headers.collect(), body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = self.headers.iter().find(|(found, _)| found == name);
        named.map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub(crate) fn assert(&self, status: u16, body: impl AsRef<[u8]>) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.body == body.as_ref(), "{} bytes are not {}", self.body.len(), body.as_ref().len());
    }
}

/// What a server says at its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// For each worker.
    pub(crate) connections: Vec<u64>,
    pub(crate) requests: u64,
    pub(crate) served: u64,
    /// Those that panicked, were cut off or refused.
    pub(crate) unserved: u64,
}

impl Report {
    fn parse(text: &str) -> Self {
        let numbers = |line: &str| -> Vec<u64> {
            let words = line.split(|char: char| !char.is_ascii_digit());
            words.filter(|word| !word.is_empty()).map(|word| word.parse().expect("a number")).collect()
        };
        let workers: Vec<Vec<u64>> =
            text.lines().filter(|line| line.starts_with("worker ")).map(numbers).collect();
        let ends = text.lines().find(|line| line.starts_with("served ")).expect("a receipt");
        let ends = numbers(ends);
        Self {
            connections: workers.iter().map(|worker| worker[1]).collect(),
            requests: workers.iter().map(|worker| worker[2]).sum(),
            served: ends[0],
            unserved: ends[1..].iter().sum(),
        }
    }

    /// Every connection ended by itself, and the workers' counts say the same.
    #[track_caller]
    pub(crate) fn assert_all_served(&self, connections: u64, requests: u64) {
        let counted = (self.served, self.connections.iter().sum(), self.requests, self.unserved);
        assert_eq!(counted, (connections, connections, requests, 0));
    }
}

/// Bytes without a pattern that a block size could hide in.
pub(crate) fn content(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    blake3::Hasher::new().finalize_xof().fill(&mut bytes);
    bytes
}
