//! Runs part of a test in a process of its own: limits and filters hold for a whole process, and some cannot be
//! taken back.

use std::env;
use std::fs;
use std::process::{self, Command, Output};
use std::thread;
use std::time::{Duration, Instant};

/// Set in the child to the name of its test.
const CHILD: &str = "MILLPOND_TEST_CHILD";
/// What a child prints that got to its end: a misspelt name would run no test at all, and pass.
const DONE: &str = "the child got to its end";
/// The test fails once the threads of a pool take longer than this to leave.
const LEAVE_LIMIT: Duration = Duration::from_secs(30);

/// Runs this test binary again with only the test called `name`, and there `body` and nothing after it. Returns what
/// the child wrote, and panics with it unless the child got to the end of `body`.
pub(crate) fn run(name: &str, body: impl FnOnce()) -> Output {
    if env::var(CHILD).is_ok_and(|child| child == name) {
        body();
        println!("{DONE}");
        process::exit(0);
    }
    let this = env::current_exe().expect("a test binary knows its path");
    let output = Command::new(this)
        .args([name, "--exact", "--nocapture", "--include-ignored"])
        .env(CHILD, name)
        .output()
        .expect("the test binary runs again");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let done = output.status.success() && stdout.contains(DONE);
    assert!(done, "child: {}\nstdout:\n{stdout}\nstderr:\n{stderr}", output.status);
    output
}

/// What a process holds that a pool must give back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Holdings {
    /// Each descriptor and what it points to, in order.
    fds: Vec<String>,
    threads: usize,
}

impl Holdings {
    pub(crate) fn now() -> Holdings {
        let listed = fs::read_dir("/proc/self/fd").expect("/proc is mounted");
        let paths: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
        // The listing's own descriptor is closed by now: its link is the one that cannot be read.
        let open = paths.iter().filter_map(|path| Some(format!("{path:?} {:?}", fs::read_link(path).ok()?)));
        let mut fds: Vec<String> = open.collect();
        fds.sort();
        Holdings { fds, threads: fs::read_dir("/proc/self/task").expect("/proc is mounted").count() }
    }

    /// What there is after the first round of something whose threads all leave.
    #[allow(dead_code)] // Not all have such a round.
    pub(crate) fn after(first: impl FnOnce()) -> Holdings {
        let threads = Holdings::now().threads;
        first();
        await_leave(threads);
        Holdings::now()
    }

    /// Waits until this process holds what it held, and panics if it does not come to that.
    pub(crate) fn assert_restored(&self) {
        await_leave(self.threads);
        assert_eq!(Holdings::now(), *self, "something was left behind");
    }
}

/// Waits until there are no more threads than so many, or for as long as it can take. A joined one stays listed for a moment:
/// its exit wakes the joiner before it takes the thread off the list.
fn await_leave(threads: usize) {
    let deadline = Instant::now() + LEAVE_LIMIT;
    while Holdings::now().threads > threads && Instant::now() < deadline {
        thread::yield_now();
    }
}
