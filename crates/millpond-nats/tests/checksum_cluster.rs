//! The example `checksum_cluster`, as a user runs it: one command publishes, four processes work, one prints.
#![allow(missing_docs)]

mod common;

use common::{Server, unhung};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStderr, Command, Output, Stdio},
};

const WORKERS: usize = 4;

/// cargo builds the examples with the tests, beside them.
fn example() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let examples = test.parent().unwrap().parent().unwrap().join("examples");
    examples.join("checksum_cluster")
}

fn command(server: &Server, args: &[&str]) -> Command {
    let mut command = Command::new(example());
    command.args(args).env("NATS_URL", server.url()).stdin(Stdio::null());
    command
}

fn run(server: &Server, args: &[&str]) -> Output {
    command(server, args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A process that works. Dropping it kills it.
struct Worker {
    process: Child,
    stderr: BufReader<ChildStderr>,
}

impl Worker {
    /// Returns once it works.
    fn start(server: &Server) -> Worker {
        let mut process = command(server, &["work"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        stderr.read_line(&mut line).unwrap();
        assert!(line.ends_with("is at work\n"), "{line}");
        Worker { process, stderr }
    }

    /// Asks it to end, and returns what it says then.
    fn stop(mut self) -> String {
        kill_process(Pid::from_child(&self.process), Signal::TERM).unwrap();
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        assert!(self.process.wait().unwrap().success(), "{line}");
        line
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Files in folders, some of them empty and some of several buffers, with their sums.
fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut sums = BTreeMap::new();
    for number in 0..400_usize {
        let folder = folder.join(format!("{}", number % 7));
        fs::create_dir_all(&folder).unwrap();
        let content: Vec<u8> = (0..number * number * 5).map(|byte| (byte % 251) as u8).collect();
        let path = folder.join(format!("{number}.bin"));
        fs::write(&path, &content).unwrap();
        sums.insert(path, blake3::hash(&content).to_hex().to_string());
    }
    sums
}

#[test]
fn four_processes_sum_up_each_file_once() {
    unhung("four_processes_sum_up_each_file_once", || {
        let server = Server::start();
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let sums = files(&folder);
        let workers: Vec<Worker> = (0..WORKERS).map(|_| Worker::start(&server)).collect();
        let published = run(&server, &["publish", folder.to_str().unwrap()]);
        assert!(published.status.success(), "{}", text(&published.stderr));
        assert_eq!(text(&published.stdout), "400 files, and 0 that were there already\n");
        let table = run(&server, &["table"]);
        assert!(table.status.success(), "{}", text(&table.stderr));
        let expected: String =
            sums.iter().map(|(path, sum)| format!("{sum}  {}\n", path.display())).collect();
        assert_eq!(text(&table.stdout), expected);
        let said: Vec<String> = workers.into_iter().map(Worker::stop).collect();
        let done = said.iter().map(|line| line.split(' ').nth(2).unwrap().parse::<usize>().unwrap());
        let done: Vec<usize> = done.collect();
        assert_eq!(done.iter().sum::<usize>(), 400, "each file was one job of one process: {said:?}");
        assert!(done.iter().filter(|files| **files > 0).count() > 1, "it is shared out: {said:?}");
    });
}

#[test]
fn a_killed_process_costs_no_file_and_a_bad_file_is_told() {
    unhung("a_killed_process_costs_no_file_and_a_bad_file_is_told", || {
        let server = Server::start();
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let sums = files(&folder);
        let published = run(&server, &["publish", folder.to_str().unwrap()]);
        assert!(published.status.success(), "{}", text(&published.stderr));
        let (gone, _) = sums.first_key_value().unwrap();
        fs::remove_file(gone).unwrap();
        // What it has in its hands comes back when the server has not heard of it for a while.
        drop(Worker::start(&server));
        let worker = Worker::start(&server);
        let table = run(&server, &["table"]);
        assert!(!table.status.success(), "one could not be read");
        assert!(text(&table.stderr).contains("1 files could not be read"), "{}", text(&table.stderr));
        assert_eq!(text(&table.stdout).lines().count(), 399);
        assert!(worker.stop().contains(" 1 of them bad"));
    });
}
