//! One command: shown before it runs, given no stdin, ended with all that it started if it takes too long.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// No command takes a third of this on two cores, first build included: one that takes longer hangs, and an
/// unattended run must say so rather than stand still.
const LIMIT_MINUTES: u64 = 15;

/// A command to be, and how it is shown.
#[derive(Debug)]
pub(crate) struct Command {
    inner: std::process::Command,
    /// The command as a reader would type it.
    shown: String,
    limit: Duration,
}

/// How a command ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: std::process::ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Command {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let shown =
            Path::new(&program).file_name().unwrap_or(program.as_ref()).to_string_lossy().into_owned();
        let mut inner = std::process::Command::new(program);
        inner.stdin(Stdio::null());
        Command { inner, shown, limit: Duration::from_secs(LIMIT_MINUTES * 60) }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown = format!("{} {}", self.shown, arg.as_ref().to_string_lossy());
        self.inner.arg(arg);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Command::arg)
    }

    /// The words of `line`, split at blanks.
    pub(crate) fn words(self, line: &str) -> Self {
        self.args(line.split_whitespace())
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.shown = format!("{name}={:?} {}", value.as_ref(), self.shown);
        self.inner.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: impl AsRef<OsStr>) -> Self {
        self.inner.env_remove(name);
        self
    }

    pub(crate) fn dir(mut self, dir: &Path) -> Self {
        self.inner.current_dir(dir);
        self
    }

    /// In place of the usual limit, for what is known to take longer.
    pub(crate) fn limit_minutes(mut self, minutes: u64) -> Self {
        self.limit = Duration::from_secs(minutes * 60);
        self
    }

    /// Without the limit: for what is told how long to take, and ends itself if it hangs.
    pub(crate) fn unlimited(mut self) -> Self {
        self.limit = Duration::MAX;
        self
    }

    /// Runs it with its output passed through. Anything but success is an error.
    pub(crate) fn run(mut self) -> Result<(), String> {
        self.show();
        let mut child = self.spawn()?;
        let status = self.wait(&mut child)?;
        self.success(status)
    }

    /// Runs it with its output passed through, and returns what went to stdout. `explain` finds in that what an error should
    /// say beside how the command ended.
    pub(crate) fn run_and_read(mut self, explain: fn(&str) -> String) -> Result<String, String> {
        self.show();
        self.inner.stdout(Stdio::piped());
        let mut child = self.spawn()?;
        let stdout = child.stdout.take().expect("stdout was asked for as a pipe");
        // Ends when the last process that holds the pipe has ended: the limit sees to that.
        let reader = thread::spawn(move || pass_through(stdout));
        let status = self.wait(&mut child)?;
        let text = reader.join().expect("the reader does not panic");
        match self.success(status) {
            Ok(()) => Ok(text),
            Err(error) => Err(error + &explain(&text)),
        }
    }

    /// Runs it unseen, and returns how it ended, whether well or not.
    pub(crate) fn end(mut self) -> Result<Ended, String> {
        self.inner.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.spawn()?;
        let stdout = child.stdout.take().expect("stdout was asked for as a pipe");
        let stderr = child.stderr.take().expect("stderr was asked for as a pipe");
        // Both end as above; two threads, as a full pipe that nobody reads would hold the command up.
        let stdout = thread::spawn(move || read_all(stdout));
        let stderr = thread::spawn(move || read_all(stderr));
        let status = self.wait(&mut child)?;
        let stdout = stdout.join().expect("the reader does not panic");
        let stderr = stderr.join().expect("the reader does not panic");
        Ok(Ended { status, stdout, stderr })
    }

    /// Runs it unseen, and returns its stdout. Anything but success is an error that carries its stderr.
    pub(crate) fn text(self) -> Result<String, String> {
        let shown = self.shown.clone();
        let ended = self.end()?;
        if ended.status.success() {
            return Ok(ended.stdout);
        }
        Err(format!("`{shown}` ended with {}: {}", ended.status, ended.stderr.trim()))
    }

    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    fn show(&self) {
        println!("$ {}", self.shown);
    }

    fn spawn(&mut self) -> Result<Child, String> {
        self.inner.spawn().map_err(|error| format!("`{}` cannot be started: {error}", self.shown))
    }

    /// Waits for the end of `child`, and brings it about at the limit.
    fn wait(&self, child: &mut Child) -> Result<std::process::ExitStatus, String> {
        let (ended, limit_or_end) = mpsc::channel::<()>();
        let (limit, root) = (self.limit, child.id());
        // Ends at the limit, or when `ended` is dropped below: on every path out of this function.
        let watch = thread::spawn(move || {
            let late = limit_or_end.recv_timeout(limit) == Err(RecvTimeoutError::Timeout);
            if late {
                kill(&family(root));
            }
            late
        });
        // The command's own end or the watch's kill ends this.
        let status = child.wait();
        drop(ended);
        let late = watch.join().expect("the watch does not panic");
        if late {
            return Err(format!("`{}` was ended: it ran for more than {:?}", self.shown, self.limit));
        }
        status.map_err(|error| format!("`{}` cannot be waited for: {error}", self.shown))
    }

    fn success(&self, status: std::process::ExitStatus) -> Result<(), String> {
        if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", self.shown)) }
    }
}

fn pass_through(stdout: impl Read) -> String {
    let mut text = String::new();
    let mut line = Vec::new();
    let mut stdout = BufReader::new(stdout);
    while stdout.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
        let shown = String::from_utf8_lossy(&line);
        print!("{shown}");
        text.push_str(&shown);
        line.clear();
    }
    text
}

fn read_all(mut pipe: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = pipe.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The process `root`, what it started, and what that started.
fn family(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|process| {
            Some((process, parent(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)?))
        })
        .collect();
    let mut family = vec![root];
    let mut seen = 0;
    while let Some(&elder) = family.get(seen) {
        family.extend(parents.iter().filter(|(_, parent)| *parent == elder).map(|(child, _)| child));
        seen += 1;
    }
    family
}

/// The parent in a line of `/proc/PID/stat`: `PID (NAME) STATE PARENT …`, where the name may hold anything.
fn parent(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.split(' ').nth(1)?.parse().ok()
}

/// Kills by the shell's own `kill`, as a bare container may have no other.
fn kill(processes: &[u32]) {
    let list: Vec<String> = processes.iter().map(u32::to_string).collect();
    let _ = std::process::Command::new("sh").arg("-c").arg(format!("kill -KILL {}", list.join(" "))).status();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        Command::new("sh").arg("-c").arg(script)
    }

    #[test]
    fn output_and_status_come_back() {
        let ended = sh("echo out; echo err >&2; exit 3").end().expect("sh runs");
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("out\n", "err\n"));
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(sh("printf 'a\\nb'").run_and_read(str::to_owned), Ok("a\nb".to_owned()));
    }

    #[test]
    fn a_failure_names_the_command() {
        let error = sh("exit 3").run().expect_err("it exits 3");
        assert_eq!(error, "`sh -c exit 3` ended with exit status: 3");
        let error =
            sh("echo why; exit 3").run_and_read(|stdout| format!(": {stdout}")).expect_err("it exits 3");
        assert_eq!(error, "`sh -c echo why; exit 3` ended with exit status: 3: why\n");
        let error = Command::new("/no/such/program").run().expect_err("there is none");
        assert!(error.starts_with("`program` cannot be started: "), "{error}");
    }

    #[test]
    fn the_limit_ends_a_command_and_what_it_started() {
        let mut hangs = sh("sleep 1000 & sleep 1000; true");
        hangs.limit = Duration::from_millis(100);
        // Returns once nothing holds stdout any more, the sleeper in the background included.
        let error = hangs.end().expect_err("it hangs");
        assert!(error.contains("was ended: it ran for more than 100ms"), "{error}");
    }

    #[test]
    fn the_parent_is_found_after_any_name() {
        assert_eq!(parent("7 (sh) S 3 7 7"), Some(3));
        assert_eq!(parent("7 (a ) R 9 (b) S 4 7 7"), Some(4));
        assert_eq!(parent(""), None);
    }
}
