//! A Redis server of a test's own, and Redis' own clients.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use tempfile::TempDir;

use crate::program::{Proxy, mortal};

const INSTALL: &str = "apt-get install -y redis-server redis-tools";

/// How often another port is tried when the chosen one was taken in between.
const TRIES: usize = 10;

/// In a folder of its own, on TCP and on a Unix socket, and nothing of it on the disk. Killed when it is dropped.
pub(crate) struct Redis {
    child: Child,
    /// `host:port`.
    pub(crate) address: String,
    folder: TempDir,
}

impl Redis {
    pub(crate) fn start() -> Self {
        (0..TRIES)
            .find_map(|_| Self::try_start())
            .unwrap_or_else(|| panic!("redis-server ended {TRIES} times"))
    }

    /// `None` if it ended before it listened.
    fn try_start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let mut command = mortal(there("redis-server"));
        command.args(["--bind", "127.0.0.1", "--port", &address.port().to_string()]);
        command.arg("--unixsocket").arg(socket_in(&folder)).arg("--dir").arg(folder.path());
        command.args(["--save", "", "--appendonly", "no", "--daemonize", "no"]).stderr(Stdio::null());
        let mut child = command.spawn().expect("setpriv starts");
        let mut log = BufReader::new(child.stdout.take().expect("a pipe"));
        // Ended by the line, or by the server's end.
        let mut lines = (&mut log).lines().map_while(Result::ok);
        let is_ready = lines.any(|line| line.contains("eady to accept connections"));
        let redis = Self { child, address: address.to_string(), folder };
        // Read on, so that it never waits for a reader; ended by the server's end.
        thread::spawn(move || io::copy(&mut log, &mut io::sink()));
        is_ready.then_some(redis)
    }

    /// `unix:/path`.
    pub(crate) fn unix_address(&self) -> String {
        format!("unix:{}", socket_in(&self.folder).display())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Over already, at worst.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn socket_in(folder: &TempDir) -> PathBuf {
    folder.path().join("redis.sock")
}

/// A program of the Redis packages.
fn there(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(program));
    files.find(|file| file.is_file()).unwrap_or_else(|| panic!("{program} is missing: {INSTALL}"))
}

/// One of Redis' own clients, connected to the proxy.
pub(crate) fn client(program: &str, proxy: &Proxy) -> Command {
    let mut command = mortal(there(program));
    match (proxy.address.strip_prefix("unix:"), proxy.address.rsplit_once(':')) {
        (Some(path), _) => command.arg("-s").arg(Path::new(path)),
        (None, Some((host, port))) => command.args(["-h", host, "-p", port]),
        (None, None) => unreachable!("a TCP address has a port"),
    };
    command
}

/// Runs redis-cli with these arguments and this input, and gives what it printed.
pub(crate) fn cli(proxy: &Proxy, args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut child =
        client("redis-cli", proxy).args(args).stdin(Stdio::piped()).spawn().expect("setpriv starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).expect("redis-cli reads"));
        child.wait_with_output().expect("a child of ours")
    });
    succeeded(output)
}

/// Its standard output, and nothing on standard error.
#[track_caller]
pub(crate) fn succeeded(output: Output) -> Vec<u8> {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{}: {errors}", output.status);
    output.stdout
}
