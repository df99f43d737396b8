//! The program, as a process that a test has started.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};

use crate::table::Table;

/// The program: cargo builds examples beside the tests of a package.
pub(crate) fn path() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("a test lies in target/<profile>/deps");
    let program = profile.join("examples/proxy");
    assert!(program.is_file(), "{program:?} is missing: build it with `cargo build --example proxy`");
    program
}

/// A program that ends with the thread that started it, also where that thread's process aborts. It has nothing on its
/// standard input.
pub(crate) fn mortal(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A proxy that listens. Killed when it is dropped.
pub(crate) struct Proxy {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Reads standard error until its end, so that the program never waits for a reader. Taken at the end.
    errors: Option<JoinHandle<Vec<String>>>,
    /// `host:port` or `unix:/path`.
    pub(crate) address: String,
}

/// How the program ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: Option<i32>,
    pub(crate) table: Table,
    /// The line under the table.
    pub(crate) receipt: String,
    pub(crate) errors: Vec<String>,
}

impl Proxy {
    /// On a free port.
    pub(crate) fn start(options: &[&str], upstream: &str) -> Self {
        Self::start_at("127.0.0.1:0", options, upstream)
    }

    pub(crate) fn start_at(listen: &str, options: &[&str], upstream: &str) -> Self {
        let mut child =
            mortal(path()).args(options).args([listen, upstream]).spawn().expect("setpriv starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let stderr = child.stderr.take().expect("a pipe");
        let errors = Some(thread::spawn(move || lines(stderr)));
        let mut first = String::new();
        stdout.read_line(&mut first).expect("a pipe");
        let address = first.trim_end().strip_prefix("listening on ").unwrap_or_default().to_owned();
        let mut proxy = Self { child, stdout, errors, address };
        if proxy.address.is_empty() {
            panic!("it does not listen: {:?}", proxy.errors());
        }
        proxy
    }

    /// A connection, and what the upstream sees of it.
    pub(crate) fn connect(&self, upstream: &TcpListener) -> (TcpStream, TcpStream) {
        let client = self.client();
        let (server, _) = upstream.accept().expect("the proxy connects");
        (client, server)
    }

    pub(crate) fn client(&self) -> TcpStream {
        TcpStream::connect(&self.address).expect("the proxy listens")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is there");
    }

    /// What it prints when it is asked to.
    pub(crate) fn table(&mut self) -> Table {
        self.signal(Signal::USR1);
        self.read_table()
    }

    fn read_table(&mut self) -> Table {
        let mut text = String::new();
        while !text.lines().last().unwrap_or_default().starts_with("total") {
            let read = self.stdout.read_line(&mut text).expect("a pipe");
            assert_ne!(read, 0, "the table ends early: {text}{:?}", self.errors());
        }
        text.parse().unwrap_or_else(|why| panic!("{why}: {text}"))
    }

    /// Has it stop, and waits until it has.
    pub(crate) fn stop(self) -> Ended {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits for its end.
    pub(crate) fn wait(mut self) -> Ended {
        let table = self.read_table();
        let mut receipt = String::new();
        self.stdout.read_to_string(&mut receipt).expect("a pipe");
        let status = self.child.wait().expect("a child of ours").code();
        Ended { status, table, receipt: receipt.trim_end().to_owned(), errors: self.errors() }
    }

    /// Waits for its end, which a signal brought about.
    pub(crate) fn wait_for_signal(mut self) -> std::process::ExitStatus {
        self.child.wait().expect("a child of ours")
    }

    /// Waits for its end, and gives what it wrote to standard error.
    fn errors(&mut self) -> Vec<String> {
        self.errors.take().expect("asked once").join().expect("the reader does not panic")
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Over already, in most tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stderr: ChildStderr) -> Vec<String> {
    BufReader::new(stderr).lines().map(|line| line.expect("UTF-8")).collect()
}
