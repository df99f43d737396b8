//! A folder of files, a server of it, and its clients.

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Far longer than any test takes: only a hang gets there.
const HANG_S: u64 = 120;

pub(crate) fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_millpond-axum-example"))
}

/// A folder to serve, removed at the end of its test. It lies in another one, in which there can be something beside it.
pub(crate) struct Folder {
    outer: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let outer = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(outer.path().join("served")).expect("a folder");
        Self { outer }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.outer.path().join("served").join(name)
    }

    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        self.outer.path().join(name)
    }

    /// What is in it, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).expect("the folder is there");
        let name = |entry: std::io::Result<fs::DirEntry>| {
            entry.expect("an entry").file_name().into_string().expect("a name of a test")
        };
        let mut names: Vec<String> = entries.map(name).collect();
        names.sort();
        names
    }

    /// Looks until it is so. A server that never gets there is ended by its watchdog, and the test with it.
    pub(crate) fn wait_for(&self, is_so: impl Fn(&[String]) -> bool) {
        while !is_so(&self.names()) {
            thread::yield_now();
        }
    }

    pub(crate) fn serve(&self, options: &[&str]) -> Server {
        let mut command = program();
        command.args(["--addr", "127.0.0.1:0", "--workers", "2"]).args(options).arg(self.path(""));
        Server::start(command)
    }
}

/// A running server. It is ended for good if the test does not end it.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    addr: String,
    /// Keeps the watchdog quiet; dropped when all is over.
    _is_alive: mpsc::Sender<()>,
}

impl Server {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let mut line = String::new();
        // Ended by the line, or by the program's end.
        stdout.read_line(&mut line).expect("a pipe");
        let addr = line.strip_prefix("listening on http://").expect("it says where it listens");
        let addr = addr.trim_end().to_owned();
        let is_alive = watch(Pid::from_child(&child));
        Self { child, stdout, addr, _is_alive: is_alive }
    }

    pub(crate) fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.addr).expect("the server listens")
    }

    /// The status and the body, of the path as it is.
    pub(crate) fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.curl(path, &[])
    }

    pub(crate) fn put(&self, source: &Path, path: &str) -> (u16, Vec<u8>) {
        self.curl(path, &["--upload-file", source.to_str().expect("a path of a test")])
    }

    fn curl(&self, path: &str, options: &[&str]) -> (u16, Vec<u8>) {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--path-as-is", "--write-out", "%{stderr}%{http_code}"]).args(options);
        // Ended by the answer's end.
        let ended = curl.arg(format!("http://{}{path}", self.addr)).output();
        let ended = ended.expect("this test needs curl: `sudo apt-get install curl` installs it");
        let status = String::from_utf8_lossy(&ended.stderr).parse();
        (status.unwrap_or_else(|_| panic!("{path}: curl says {ended:?}")), ended.stdout)
    }

    /// The most memory that it has had.
    pub(crate) fn peak_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        peak.and_then(|kib| kib.trim().parse().ok()).expect("a number of KiB")
    }

    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("it runs, or is not waited for");
    }

    /// Waits until nobody accepts any more.
    pub(crate) fn wait_until_closed(&self) {
        // Each turn is a connection; one that came too late to be accepted is reset, and means no harm.
        loop {
            match TcpStream::connect(&self.addr) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
                _ => thread::yield_now(),
            }
        }
    }

    /// Tells it to end, which must go well, and returns what it printed.
    pub(crate) fn end(mut self) -> String {
        self.terminate();
        let mut report = String::new();
        // Both ended by the program's end.
        self.stdout.read_to_string(&mut report).expect("a pipe");
        assert!(self.child.wait().expect("it ends").success(), "{report}");
        report
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing to kill where it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Ends the server and the tests if one takes too long, so that a hang has a name.
fn watch(server: Pid) -> mpsc::Sender<()> {
    let (is_alive, dropped) = mpsc::channel();
    let test = thread::current().name().unwrap_or_default().to_owned();
    thread::spawn(move || {
        if dropped.recv_timeout(Duration::from_secs(HANG_S)) == Err(RecvTimeoutError::Timeout) {
            // Else it would live on, and keep whoever reads the tests' output waiting.
            let _ = kill_process(server, Signal::KILL);
            eprintln!("\n---- {test} hangs ----");
            std::process::abort();
        }
    });
    is_alive
}
