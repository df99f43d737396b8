//! The programs that tests talk to, from Debian's packages.
#![allow(dead_code)] // Each test binary uses a part of it.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// A program that ends by itself.
pub(crate) fn tool(program: &str, package: &str) -> Command {
    ensure(program, package);
    Command::new(program)
}

pub(crate) fn ensure(program: &str, package: &str) {
    let there = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(program).is_file()));
    assert!(there, "this test needs {program}: `sudo apt-get install {package}` installs it");
}

/// A program that would go on for ever. It ends with all that it has started when this is dropped, and also when the test's
/// process ends in whatever way.
pub(crate) struct Service(Child);

impl Service {
    /// Its output can be taken from the child.
    pub(crate) fn start(program: impl AsRef<OsStr>, args: &[&str], output: fn(&mut Command)) -> Service {
        let mut shell = Command::new("sh");
        // A group of processes of its own, which the shell ends when nobody holds the other end of its input any more.
        shell.args(["-c", "\"$@\" </dev/null & cat >/dev/null; kill -KILL 0", "sh"]).arg(program).args(args);
        shell.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        output(&mut shell);
        Service(shell.spawn().expect("sh runs"))
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}
