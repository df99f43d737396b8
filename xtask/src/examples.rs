//! Every example, run as its page says, in an empty folder, and what must come of it.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::thread;

use crate::command::{Command, Ended};
use crate::packages;
use crate::step::Outcome;
use crate::workspace::{Workspace, read, write};

/// An example's name, and the check of what it does.
type Check = (&'static str, fn(&Example) -> Result<(), String>);

const CHECKS: [Check; 9] = [
    ("checksum", checksum),
    ("compute", compute),
    ("doctor", doctor),
    ("from_smol", from_smol),
    ("from_threads", from_threads),
    ("from_tokio", from_tokio),
    ("hello", hello),
    ("http", http),
    ("proxy", proxy),
];

/// How long an example may serve: far longer than any check takes.
const SERVE_LIMIT_S: &str = "60";

/// BLAKE3 of `hello world`, of nothing, and of a MiB of zeros, by the reference implementation.
const HELLO_WORLD: &str = "d74981efa70a0c880b8d8c1985d075dbcbf679b99a5f9914e5aaf96b831a9e24";
const NOTHING: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
const MIB_OF_ZEROS: &str = "488de202f73bd976de4e7048f4e1f39a776d86d582b7348ff53bf432b987fca8";

/// One example, and where it is run.
#[derive(Debug)]
struct Example<'a> {
    workspace: &'a Workspace,
    name: &'static str,
    dir: PathBuf,
}

pub(crate) fn all(workspace: &Workspace) -> Outcome {
    packages::ensure()?;
    workspace.cargo().words("build --release -p millpond --examples").run()?;
    none_is_left_out(&workspace.root.join("crates/millpond/examples"))?;
    for (name, check) in CHECKS {
        let dir = workspace.scratch(&format!("examples/{name}"))?;
        check(&Example { workspace, name, dir })?;
        println!("{name}: as promised");
    }
    Ok(())
}

/// An example without a check would rot unseen.
fn none_is_left_out(dir: &Path) -> Result<(), String> {
    let entries = fs::read_dir(dir).map_err(|error| format!("{} cannot be read: {error}", dir.display()))?;
    let found: BTreeSet<String> = entries
        .flatten()
        .filter(|entry| entry.path().is_dir() || entry.path().extension().is_some_and(|end| end == "rs"))
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    let checked: BTreeSet<String> = CHECKS.iter().map(|(name, _)| (*name).to_owned()).collect();
    if found == checked {
        return Ok(());
    }
    Err(format!("the examples are {found:?}, and those with a check in xtask are {checked:?}"))
}

fn hello(example: &Example<'_>) -> Result<(), String> {
    let ended = example.run(&[])?;
    example.expect(&ended, "end well", ended.status.success())?;
    example.expect(&ended, "say so once, and no more", ended.stdout == "wrote to file!\n")?;
    let file = read(&example.dir.join("hello.txt"))?;
    example.expect(&ended, "write `world` to hello.txt", file == "world")
}

fn compute(example: &Example<'_>) -> Result<(), String> {
    let ended = example.run(&["--jobs", "2000000"])?;
    let right = |ended: &Ended| ended.status.success() && ended.stdout.contains("every answer is right");
    example.expect(&ended, "get every answer right", right(&ended))?;
    example.expect(&ended, "divide by zero", ended.stdout.contains("(by zero "))?;
    let counted: u64 = ended.stdout.lines().filter_map(jobs_of_a_worker).sum();
    example.expect(&ended, "count each job on one worker", counted == 2_000_000)?;

    let ended = example.run(&["--jobs", "1000000", "--workers", "1"])?;
    example.expect(&ended, "get every answer right", right(&ended))?;
    example.expect(&ended, "tell of each million", ended.stderr.contains("worker 0: 1,000,000 jobs"))?;

    let ended = example.run(&["--jobs", "100000", "--panic-every", "1000"])?;
    example.expect(&ended, "get every answer right beside panics", right(&ended))?;
    example.expect(&ended, "survive 100 panics", ended.stdout.contains("100 jobs panicked, of 100 told to"))
}

/// The number in the table's row of a worker: `worker 0    any of 4    1,234  51.4 % 70.5 %`.
fn jobs_of_a_worker(line: &str) -> Option<u64> {
    let (before_share, _) = line.strip_prefix("worker ")?.split_once(" %")?;
    before_share.split_whitespace().rev().nth(1)?.replace(',', "").parse().ok()
}

/// The verdicts depend on the machine, and so does the exit status; that they agree does not.
fn doctor(example: &Example<'_>) -> Result<(), String> {
    let ended = example.run(&[])?;
    let verdict = |check: &str| {
        let line = ended.stdout.lines().find_map(|line| line.strip_prefix(check)?.strip_prefix(' '));
        line.unwrap_or_default().split_whitespace().next().unwrap_or_default().to_owned()
    };
    let checks =
        ["kernel", "io_uring", "locked memory", "open files", "CPUs", "CPU quota", "workers", "threads"];
    for check in checks {
        let judged = ["fine", "limited", "refused"].contains(&verdict(check).as_str());
        example.expect(&ended, &format!("judge `{check}`"), judged)?;
    }
    let refused = checks.into_iter().any(|check| verdict(check) == "refused");
    let status = if refused { 1 } else { 0 };
    example.expect(&ended, &format!("end with status {status}"), ended.status.code() == Some(status))
}

fn checksum(example: &Example<'_>) -> Result<(), String> {
    let tree = example.dir.join("tree");
    fs::create_dir_all(tree.join("b"))
        .map_err(|error| format!("{} cannot be made: {error}", tree.display()))?;
    write(&tree.join("b/hello"), "hello world")?;
    write(&tree.join("c"), vec![0; 1 << 20])?;
    write(&tree.join("a"), "")?;
    let list = format!("{NOTHING}  tree/a\n{HELLO_WORLD}  tree/b/hello\n{MIB_OF_ZEROS}  tree/c\n");

    let ended = example.run(&["tree"])?;
    example.expect(&ended, "end well", ended.status.success())?;
    example.expect(&ended, &format!("print\n{list}"), ended.stdout == list)?;

    write(&example.dir.join("list"), &list)?;
    let ended = example.run(&["--check", "list"])?;
    example.expect(&ended, "find the tree as it was", ended.status.success())?;

    write(&tree.join("c"), "changed")?;
    let ended = example.run(&["--check", "list"])?;
    example.expect(&ended, "end with status 1 after a change", ended.status.code() == Some(1))?;
    example.expect(&ended, "name the changed file", ended.stdout.contains("tree/c: FAILED"))?;

    let ended = example.run(&["tree/a", "tree/missing", "tree/b/hello"])?;
    let rest = format!("{NOTHING}  tree/a\n{HELLO_WORLD}  tree/b/hello\n");
    example.expect(&ended, "end with status 1 without a file", ended.status.code() == Some(1))?;
    example.expect(&ended, "name the missing file", ended.stderr.contains("tree/missing"))?;
    example.expect(&ended, "do the rest", ended.stdout == rest)
}

/// The example itself compares what it copied.
fn from_smol(example: &Example<'_>) -> Result<(), String> {
    let ended = example.run(&[])?;
    example.expect(&ended, "end well", ended.status.success())?;
    let told = "12 files with 786432 bytes copied, and each is the same\n\
                the list has 12 lines\n\
                a job that would take an hour was aborted after 20 ms\n\
                13 jobs completed, 1 aborted\n";
    example.expect(&ended, &format!("print\n{told}"), ended.stdout == told)
}

fn from_threads(example: &Example<'_>) -> Result<(), String> {
    let ended = example.run(&[])?;
    example.expect(&ended, "end well", ended.status.success())?;
    let of_a_thread =
        |thread: usize| format!("thread {thread}: 50 pages written, and 12800 readings add up to 1632000\n");
    let told = (0..4).map(of_a_thread).collect::<String>()
        + "a job that would take an hour was not done after 20 ms, and was aborted\n\
           204 jobs completed, 1 aborted\n";
    example.expect(&ended, &format!("print\n{told}"), ended.stdout == told)
}

fn from_tokio(example: &Example<'_>) -> Result<(), String> {
    let ended = example.run(&[])?;
    example.expect(&ended, "end well", ended.status.success())?;
    let told = "8 logs with 8000 lines and 1000 errors\n\
                report.txt has 8 lines, which say the same\n\
                a job that would take an hour was aborted after 20 ms\n\
                17 jobs completed, 1 aborted\n";
    example.expect(&ended, &format!("print\n{told}"), ended.stdout == told)
}

/// A page by both versions of HTTP.
fn http(example: &Example<'_>) -> Result<(), String> {
    let page = "<!doctype html><title>millpond</title>\n";
    write(&example.dir.join("index.html"), page)?;
    let mut serving = example.serve(&["--addr", "127.0.0.1:0", "--workers", "2", "."])?;
    let first = serving.line()?;
    let Some(url) = first.strip_prefix("listening on ") else {
        return Err(format!("http was to say where it listens; it said {first:?}"));
    };
    for (version, status) in
        [("--http1.1", "HTTP/1.1 200 OK\r\n"), ("--http2-prior-knowledge", "HTTP/2 200 \r\n")]
    {
        let got =
            Command::new("curl").args(["--silent", "--show-error", "--include", version, url]).text()?;
        if !got.starts_with(status) || !got.ends_with(page) {
            return Err(format!("http was to send its page by {version}; it sent {got:?}"));
        }
    }
    let ended = serving.stop()?;
    example.expect(&ended, "end well at SIGTERM", ended.status.success())?;
    let receipt = "served 2, panicked 0, cut off 0, refused 0\n";
    example.expect(&ended, "give the receipt", ended.stdout.ends_with(receipt))
}

/// One connection to a server that echoes, with the end passed on each way, and what the table tells of it.
fn proxy(example: &Example<'_>) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("proxy: {error}");
    let upstream = TcpListener::bind("127.0.0.1:0").map_err(failed)?;
    let address = upstream.local_addr().map_err(failed)?.to_string();
    // Left behind, should nobody connect. The client below is ended by the proxy's end at the latest.
    thread::spawn(move || {
        let (stream, _) = upstream.accept()?;
        std::io::copy(&mut &stream, &mut &stream)
    });
    let mut serving = example.serve(&["--workers", "2", "127.0.0.1:0", &address])?;
    let first = serving.line()?;
    let Some(listening) = first.strip_prefix("listening on ") else {
        return Err(format!("proxy was to say where it listens; it said {first:?}"));
    };
    let mut client = TcpStream::connect(listening).map_err(failed)?;
    client.write_all(b"question").and_then(|()| client.shutdown(Shutdown::Write)).map_err(failed)?;
    let mut echo = String::new();
    client.read_to_string(&mut echo).map_err(failed)?;
    let ended = serving.stop()?;
    example.expect(&ended, "end well at SIGTERM", ended.status.success())?;
    let total = ended.stdout.lines().find_map(|line| line.strip_prefix("total"));
    let counted = total.unwrap_or_default().split_whitespace().eq(["1", "0", "0", "0", "8", "8"]);
    example.expect(&ended, "pass on what is sent and what comes back", echo == "question")?;
    example.expect(&ended, "count a connection, and 8 bytes each way", counted)?;
    let receipt = "served 1, panicked 0, cut off 0, refused 0\n";
    example.expect(&ended, "give the receipt", ended.stdout.ends_with(receipt))
}

/// An example that runs until it is told to stop. Told so when it is dropped, too.
struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Serving {
    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        // Ended by the line, or by the example's end.
        self.stdout.read_line(&mut line).map_err(|error| error.to_string())?;
        Ok(line.trim_end().to_owned())
    }

    fn stop(mut self) -> Result<Ended, String> {
        self.terminate();
        let (mut stdout, mut stderr) = (String::new(), String::new());
        let errors = self.child.stderr.take().expect("stderr was asked for as a pipe");
        // All three are ended by the example's end, which its limit brings about at the latest.
        let read =
            self.stdout.read_to_string(&mut stdout).and_then(|_| { errors }.read_to_string(&mut stderr));
        let status = read.and_then(|_| self.child.wait()).map_err(|error| error.to_string())?;
        Ok(Ended { status, stdout, stderr })
    }

    /// By the shell's own `kill`, as a bare container may have no other.
    fn terminate(&self) {
        let kill = format!("kill -TERM {}", self.child.id());
        let _ = std::process::Command::new("sh").arg("-c").arg(kill).status();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.terminate();
            let _ = self.child.wait();
        }
    }
}

impl Example<'_> {
    /// Starts one that serves, in its own folder. `timeout` passes signals on to it.
    fn serve(&self, args: &[&str]) -> Result<Serving, String> {
        let program = self.workspace.target.join("release/examples").join(self.name);
        let mut command = std::process::Command::new("timeout");
        command.arg(SERVE_LIMIT_S).arg(program).args(args).current_dir(&self.dir);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("`timeout` cannot be started: {error}"))?;
        let stdout = BufReader::new(child.stdout.take().expect("stdout was asked for as a pipe"));
        Ok(Serving { child, stdout })
    }

    /// Runs it by the command that its page shows, in its own folder.
    fn run(&self, args: &[&str]) -> Result<Ended, String> {
        let manifest = self.workspace.root.join("Cargo.toml");
        let run =
            self.workspace.cargo().words("run --quiet --release -p millpond --manifest-path").arg(manifest);
        run.arg("--example").arg(self.name).arg("--").args(args).dir(&self.dir).end()
    }

    fn expect(&self, ended: &Ended, what: &str, is_so: bool) -> Result<(), String> {
        if is_so {
            return Ok(());
        }
        let Ended { status, stdout, stderr } = ended;
        Err(format!(
            "{} was to {what}; it ended with {status}, stdout {stdout:?}, stderr {stderr:?}",
            self.name
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workers_row_is_told_from_the_rest() {
        assert_eq!(jobs_of_a_worker("worker 0          0     2,571,208  51.4 % 70.5 %"), Some(2_571_208));
        assert_eq!(jobs_of_a_worker("worker 11  any of 4         9   0.0 %  0.1 %"), Some(9));
        assert_eq!(jobs_of_a_worker("worker          CPU          jobs   share   busy"), None);
        assert_eq!(jobs_of_a_worker("total                   5,000,000 in 1.21 s, 4,132,231 jobs/s"), None);
    }
}
