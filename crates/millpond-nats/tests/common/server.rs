//! A nats-server of a test's own, that can be killed and started again.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::port::Port;

const INSTALL: &str = "apt-get install --yes --no-install-recommends nats-server";

/// With JetStream on files, in a folder of its own, on a port of the loopback that it keeps. Dropping it kills the server and
/// removes the folder. The server ends with the process too, however that ends.
#[derive(Debug)]
pub struct Server {
    port: Port,
    /// The configuration, the log, and the store unless the settings have it elsewhere.
    folder: TempDir,
    /// `None` between its end and its restart.
    running: Option<Running>,
}

/// How a server is set up.
#[derive(Debug, Default)]
pub struct Settings {
    store: Option<PathBuf>,
    /// Lines of the block `jetstream`, and of the top.
    jetstream: String,
    lines: String,
}

impl Settings {
    /// The largest message, headers included.
    pub fn max_payload(self, bytes: usize) -> Settings {
        self.line(&format!("max_payload: {bytes}"))
    }

    /// What all streams may take of the disk together.
    pub fn max_file_store(mut self, bytes: u64) -> Settings {
        writeln!(self.jetstream, "max_file_store: {bytes}").expect("a string grows");
        self
    }

    /// Where the streams are kept, in place of the server's own folder.
    pub fn store(mut self, folder: impl Into<PathBuf>) -> Settings {
        self.store = Some(folder.into());
        self
    }

    /// A further line of the configuration.
    pub fn line(mut self, line: &str) -> Settings {
        writeln!(self.lines, "{line}").expect("a string grows");
        self
    }

    /// Returns once JetStream answers.
    pub fn start(self) -> Server {
        let folder = tempfile::Builder::new().prefix("millpond-nats-").tempdir().expect("a temporary folder");
        let port = Port::hold();
        fs::write(folder.path().join("server.conf"), self.text(&port, folder.path()))
            .expect("its own folder");
        let mut server = Server { port, folder, running: None };
        server.restart();
        server
    }

    fn text(&self, port: &Port, folder: &Path) -> String {
        let store = self.store.clone().unwrap_or_else(|| folder.join("store"));
        let (port, jetstream, lines) = (port.number(), &self.jetstream, &self.lines);
        // JSON's strings are the configuration's too; a folder's name in UTF-8 is all that this needs of it.
        format!("listen: \"127.0.0.1:{port}\"\njetstream {{\nstore_dir: {store:?}\n{jetstream}}}\n{lines}")
    }
}

impl Server {
    /// Returns once JetStream answers. Panics, with the line that installs it, if there is no nats-server.
    pub fn start() -> Server {
        Settings::default().start()
    }

    /// Such as `nats://127.0.0.1:4222`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port.number())
    }

    /// SIGKILL: what it has not written is lost to it. Returns once it has ended.
    pub fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    /// SIGTERM: it says goodbye to its clients. Returns once it has ended.
    pub fn stop(&mut self) {
        self.end(Signal::TERM);
    }

    /// Starts it again, on the same port and with what it has stored; stops it first if it runs. Returns once JetStream
    /// answers.
    pub fn restart(&mut self) {
        self.stop();
        let log = self.folder.path().join("log");
        let config = self.folder.path().join("server.conf");
        self.running = Running::start(&config, &log);
        assert!(self.running.is_some(), "nats-server did not start: {}", self.log());
    }

    /// What it has written since its first start.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its process; none between its end and its restart.
    pub fn pid(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.pid.as_raw_nonzero().get().unsigned_abs())
    }

    fn end(&mut self, signal: Signal) {
        if let Some(running) = self.running.take() {
            running.end(signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A server from one start to its end.
#[derive(Debug)]
struct Running {
    pid: Pid,
    /// Starts the server, keeps its log, and ends after it: the kernel kills the server when the thread that started it ends.
    keeper: JoinHandle<()>,
}

impl Running {
    /// `None` if it ended before it was ready.
    fn start(config: &Path, log: &Path) -> Option<Running> {
        let mut command = mortal(&program().unwrap_or_else(|why| panic!("{why}")));
        command.arg("--config").arg(config).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let log = File::options().create(true).append(true).open(log).expect("its own folder");
        let (ready, is_ready) = mpsc::sync_channel(1);
        let keeper = thread::spawn(move || {
            let mut child = command.spawn().expect("setpriv starts");
            keep_log(&mut child, log, ready);
            // It has closed its log, so it has ended or is about to.
            child.wait().expect("a child of ours");
        });
        // Ended by the server's word, or by the drop of `ready` at its end.
        let Ok(pid) = is_ready.recv() else {
            keeper.join().expect("the keeper does not panic");
            return None;
        };
        Some(Running { pid, keeper })
    }

    fn end(self, signal: Signal) {
        // It may have ended by itself. The number is not another process's while the keeper has not waited for it; a server
        // that ends by itself in this very moment is a test's failure in any case.
        if !self.keeper.is_finished() {
            let _ = kill_process(self.pid, signal);
        }
        // Ended by the server's end.
        self.keeper.join().expect("the keeper does not panic");
    }
}

/// Writes what the server says to its log until its end, and tells when it is ready.
fn keep_log(child: &mut Child, mut log: File, ready: mpsc::SyncSender<Pid>) {
    let pid = Pid::from_child(child);
    let mut ready = Some(ready);
    // Each line comes from the server; its end ends them.
    for line in BufReader::new(child.stderr.take().expect("a pipe")).split(b'\n').map_while(Result::ok) {
        log.write_all(&[&line[..], b"\n"].concat()).expect("its own folder");
        // Said after JetStream has taken up what is stored.
        if String::from_utf8_lossy(&line).contains("Server is ready") {
            // A start that has been given up cannot be: it waits for this or for the end.
            ready.take().map(|ready| ready.send(pid));
        }
    }
}

/// A program that ends with the thread that started it, also where that thread's process is killed. `setpriv` becomes the
/// program, so their number is the same.
pub fn mortal(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Where Debian has it, which is in root's path alone.
const SYSTEM: &str = "/usr/sbin";

/// The one that the environment names, or the first in the path. An error says how to get one.
pub fn program() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("NATS_SERVER") {
        let named = PathBuf::from(named);
        let wrong = || format!("NATS_SERVER is {named:?}, which is no file: name a nats-server, or unset it");
        return if named.is_file() { Ok(named) } else { Err(wrong()) };
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([SYSTEM.into()]);
    let mut files = folders.map(|folder| folder.join("nats-server"));
    let missing = || format!("nats-server is missing: `{INSTALL}` installs it, or NATS_SERVER names one");
    files.find(|file| file.is_file()).ok_or_else(missing)
}
