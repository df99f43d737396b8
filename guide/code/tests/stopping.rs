//! The pieces of the chapter "Stopping".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use millpond::{Pool, channel};
use std::future::pending;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

// ANCHOR: drain
fn everything_ends(pool: Pool) {
    for number in 0..100 {
        // Detached, as in tokio.
        drop(pool.spawn(move || async move { number * number }));
    }
    let receipt = pool.shutdown_blocking(); // `shutdown().await` elsewhere
    assert_eq!(receipt.completed, 100);
    assert_eq!(receipt.accepted(), 100);
}
// ANCHOR_END: drain

#[test]
fn a_shutdown_runs_what_was_accepted() {
    unhung("a_shutdown_runs_what_was_accepted", || everything_ends(common::pool(2)));
}

// ANCHOR: cut_off
/// Says when it is dropped, and on which thread.
struct Transaction(mpsc::Sender<Option<String>>);

impl Drop for Transaction {
    fn drop(&mut self) {
        let thread = std::thread::current();
        self.0.send(thread.name().map(str::to_owned)).expect("the test is there");
    }
}

fn what_hangs_is_cut_off() {
    let pool = Pool::builder().worker_threads(1).thread_name("mill").build().expect("a pool starts");
    let (log, dropped_on) = mpsc::channel();
    let (begin, begun) = mpsc::channel();
    let stuck = pool.spawn(move || async move {
        let _transaction = Transaction(log);
        begin.send(()).expect("the test is there");
        pending::<()>().await; // a peer that never answers
    });
    begun.recv().expect("it begins");

    let receipt = pool.shutdown_timeout_blocking(Duration::from_millis(10));
    assert_eq!(receipt.cut_off, 1);
    assert!(stuck.join().unwrap_err().is_shutdown());
    // The future was dropped before the shutdown returned, by its own worker.
    assert_eq!(dropped_on.try_recv().unwrap().as_deref(), Some("mill-0"));
}
// ANCHOR_END: cut_off

#[test]
fn a_shutdown_with_a_limit_cuts_off_what_hangs() {
    unhung("a_shutdown_with_a_limit_cuts_off_what_hangs", what_hangs_is_cut_off);
}

// ANCHOR: refused
fn nothing_is_taken_afterwards(pool: Pool) {
    let handle = pool.handle(); // a handle does not keep the pool
    drop(pool);
    let late = handle.spawn(|| async { "never said" });
    assert!(late.join().unwrap_err().is_shutdown());
    assert!(handle.try_spawn(|| async {}).is_err()); // the closure is in the error
}
// ANCHOR_END: refused

#[test]
fn a_pool_that_has_gone_refuses_jobs() {
    unhung("a_pool_that_has_gone_refuses_jobs", || nothing_is_taken_afterwards(common::pool(1)));
}

// ANCHOR: loops
fn loops_end_with_their_channel(pool: Pool) {
    let (jobs, queue) = channel::bounded(64);
    let loops = pool.broadcast(move |_worker| {
        let queue = queue.clone();
        async move {
            let mut sum = 0;
            while let Some(number) = queue.recv().await {
                sum += number;
            }
            sum // the channel is closed, and empty
        }
    });
    for number in 1..=1000 {
        jobs.send_blocking(number).expect("the loops are there");
    }
    drop(jobs); // first the end of the work …
    let sums: Vec<u32> = loops.join().into_iter().map(|sum| sum.expect("no loop panics")).collect();
    let receipt = pool.shutdown_blocking(); // … then that of the pool
    assert_eq!(sums.iter().sum::<u32>(), 500_500);
    assert_eq!((receipt.completed, receipt.cut_off), (2, 0));
}
// ANCHOR_END: loops

#[test]
fn a_closed_channel_ends_the_loops_that_receive_from_it() {
    unhung("a_closed_channel_ends_the_loops_that_receive_from_it", || {
        loops_end_with_their_channel(common::pool(2));
    });
}

#[test]
fn a_program_ends_its_jobs_at_sigterm() {
    unhung("a_program_ends_its_jobs_at_sigterm", || {
        let mut program =
            Command::new(env!("CARGO_BIN_EXE_until_sigterm")).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
        assert_eq!(said.next().as_deref(), Some("at work"));
        let id = rustix::process::Pid::from_raw(program.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        assert_eq!(said.next().as_deref(), Some("1 of 1 jobs completed"));
        assert!(program.wait().unwrap().success());
    });
}

/// The program that counts first words, with these paths on its stdin, which stays open.
fn first_words(paths: &[&std::path::Path]) -> (Child, ChildStdin, impl Iterator<Item = String> + use<>) {
    let mut words = Command::new(env!("CARGO_BIN_EXE_first_words"));
    let mut words = words.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut stdin = words.stdin.take().unwrap();
    paths.iter().for_each(|path| writeln!(stdin, "{}", path.display()).unwrap());
    let said = BufReader::new(words.stdout.take().unwrap()).lines().map(Result::unwrap);
    (words, stdin, said)
}

#[test]
fn lines_that_cross_the_ends_of_chunks_are_counted_once() {
    unhung("lines_that_cross_the_ends_of_chunks_are_counted_once", || {
        let folder = tempfile::tempdir().unwrap();
        let (short, long) = (folder.path().join("short"), folder.path().join("long"));
        std::fs::write(&short, "GET /index.html\n".repeat(100_000)).unwrap();
        std::fs::write(&long, format!("PUT {}\nGET last", "x".repeat(200_000))).unwrap();
        let (mut words, stdin, said) = first_words(&[&short, &long]);
        drop(stdin);
        let said: Vec<_> = said.collect();
        assert_eq!(said[2..], ["100001 GET", "1 PUT"]);
        assert!(words.wait().unwrap().success());
    });
}

#[test]
fn what_was_counted_before_a_signal_is_gathered() {
    unhung("what_was_counted_before_a_signal_is_gathered", || {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, "one\ntwo\none\n").unwrap();
        // Open, so the program would wait for more.
        let (mut words, _stdin, mut said) = first_words(&[file.path()]);
        assert_eq!(said.next(), Some(format!("counted {}", file.path().display())));
        let id = rustix::process::Pid::from_raw(words.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        assert_eq!(said.collect::<Vec<_>>(), ["2 one", "1 two"]);
        assert!(words.wait().unwrap().success());
    });
}

#[test]
fn a_file_that_never_ends_is_given_up_after_a_signal() {
    unhung("a_file_that_never_ends_is_given_up_after_a_signal", || {
        let folder = tempfile::tempdir().unwrap();
        let (file, pipe) = (folder.path().join("file"), folder.path().join("pipe"));
        std::fs::write(&file, "one\n").unwrap();
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // Nobody writes into it. Where there is no ring, reading it at a position is an error, which is told.
        let _writer = std::fs::File::options().read(true).write(true).open(&pipe).unwrap();
        let (mut words, _stdin, mut said) = first_words(&[&pipe, &file]);
        assert_eq!(said.next(), Some(format!("counted {}", file.display())));
        let id = rustix::process::Pid::from_raw(words.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        assert_eq!(said.collect::<Vec<_>>(), ["1 one"]);
        assert!(words.wait().unwrap().success());
    });
}
