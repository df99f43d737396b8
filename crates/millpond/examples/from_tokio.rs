//! A tokio program whose files are a pool's: jobs submitted and awaited in tokio's tasks, with a limit on their time; and
//! the other way about, a job that awaits a channel and a task of tokio's. It counts the errors in eight log files.
//!
//! ```text
//! $ cargo run --release --example from_tokio
//! 8 logs with 8000 lines and 1000 errors
//! report.txt has 8 lines, which say the same
//! a job that would take an hour was aborted after 20 ms
//! 17 jobs completed, 1 aborted
//! ```
//!
//! The pool's threads are beside tokio's, and neither runtime knows of the other. What joins them are wakers: a
//! [`JoinHandle`] is a future for whoever polls it, and so is what tokio's channels and handles give to a job. Files,
//! sockets and timers are the runtime's that made them: in a job monoio's, and `millpond::time`.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use millpond::{Handle, JoinError, JoinHandle, Pool};
use tokio::sync::mpsc;
use tokio::task::{self, JoinSet};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const LOGS: usize = 8;
const LINES: usize = 1000;
/// One line in so many tells of an error.
const ERROR_EVERY: usize = 8;

/// What a task waits for a job. Only a disk that hangs takes as long.
const LIMIT: Duration = Duration::from_secs(10);

/// How long the job may take that never ends.
const SHORT_LIMIT: Duration = Duration::from_millis(20);

/// Lines of the report on their way. A task that has more waits for the job that writes them.
const LINES_WAITING: usize = 4;

#[tokio::main]
async fn main() -> Result<()> {
    let pool = Pool::builder().worker_threads(2).queue_capacity(64).build()?;
    let folder = tempfile::tempdir()?;
    let report = folder.path().join("report.txt");

    let errors = count_logs(&pool.handle(), folder.path(), &report).await?;
    assert_eq!(errors, LOGS * LINES / ERROR_EVERY);
    println!("{LOGS} logs with {} lines and {errors} errors", LOGS * LINES);
    println!("report.txt has {} lines, which say the same", check(&report, errors)?);

    let hour = pool.spawn(|| millpond::time::sleep(Duration::from_secs(3600)));
    let error = within(SHORT_LIMIT, hour).await.expect_err("an hour is longer than the limit");
    assert!(error.is_aborted());
    println!("a job that would take an hour was aborted after {} ms", SHORT_LIMIT.as_millis());

    // Ended by the last job's end. Other tasks of tokio's run meanwhile.
    let receipt = pool.shutdown().await;
    println!("{} jobs completed, {} aborted", receipt.completed, receipt.aborted);
    Ok(())
}

/// A task of tokio's for each log, and one job that writes down what they find.
async fn count_logs(pool: &Handle, folder: &Path, report: &Path) -> Result<usize> {
    let (found, lines) = mpsc::channel(LINES_WAITING);
    let mut tasks = JoinSet::new();
    for number in 0..LOGS {
        tasks.spawn(one_log(pool.clone(), folder.join(format!("web-{number}.log")), number, found.clone()));
    }
    // With the last sender the channel ends, and with that the job.
    drop(found);
    let sum = task::spawn(async move {
        // Ended by the last task's end, which its limits bring about at the latest.
        let counts = tasks.join_all().await;
        counts.into_iter().sum::<Result<usize>>()
    });
    let path = report.to_owned();
    // The first await ends when the queue has room, the second with the job. Then there are two results to look at: whether the
    // job ran, and its own.
    pool.submit(move || write_report(path, lines, sum)).await?.await?
}

/// Runs in tokio: two jobs, one after the other, and a line for the report.
async fn one_log(
    pool: Handle,
    path: PathBuf,
    number: usize,
    found: mpsc::Sender<(PathBuf, usize)>,
) -> Result<usize> {
    let theirs = path.clone();
    within(LIMIT, pool.submit(move || write_log(theirs, number)).await?).await??;
    let theirs = path.clone();
    let errors = within(LIMIT, pool.submit(move || count_errors(theirs)).await?).await??;
    // Ended by the report's job, which takes the line. A job that is gone by now has an error of its own.
    let _ = found.send((path, errors)).await;
    Ok(errors)
}

/// Awaits a job for as long as `limit`, and aborts it then: to drop its handle alone would let it run on.
async fn within<T>(limit: Duration, mut job: JoinHandle<T>) -> std::result::Result<T, JoinError> {
    tokio::select! {
        result = &mut job => result,
        () = tokio::time::sleep(limit) => {
            job.abort();
            // Ended by the abort. The job may have come to its end just before: then there is a result.
            job.await
        }
    }
}

/// Runs on a worker. The first error's place depends on the log.
async fn write_log(path: PathBuf, number: usize) -> io::Result<()> {
    let mut text = String::new();
    for line in 0..LINES {
        let level = if (line + number) % ERROR_EVERY == 0 { "ERROR" } else { "INFO" };
        writeln!(text, "{line:06} {level} request {line} of client {number}").expect("a string takes all");
    }
    // Ended by the ring's completions.
    monoio::fs::write(path, text.into_bytes()).await.0
}

/// Runs on a worker.
async fn count_errors(path: PathBuf) -> io::Result<usize> {
    // Ended by the ring's completions.
    let text = monoio::fs::read(path).await?;
    Ok(text.split(|byte| *byte == b'\n').filter(|line| line.get(7..12) == Some(b"ERROR")).count())
}

/// Runs on a worker, and awaits what tokio's tasks send and what one of them comes to. Those have tokio's threads to run on,
/// and wake this job from there.
async fn write_report(
    path: PathBuf,
    mut lines: mpsc::Receiver<(PathBuf, usize)>,
    sum: task::JoinHandle<Result<usize>>,
) -> Result<usize> {
    let file = monoio::fs::File::create(path).await?;
    let mut end = 0;
    // Ended by the drop of the last sender, which each task has when it ends.
    while let Some((log, errors)) = lines.recv().await {
        let line = format!("{} {errors}\n", log.display()).into_bytes();
        let len = line.len() as u64;
        file.write_all_at(line, end).await.0?;
        end += len;
    }
    // Explicit, as a drop has nobody to tell of an error.
    file.close().await?;
    // Ended by the task's end: the channel had no other sender.
    sum.await?
}

/// The report's lines, whose numbers must add up to those of the tasks.
fn check(report: &Path, errors: usize) -> Result<usize> {
    let report = fs::read_to_string(report)?;
    let counts: Vec<usize> =
        report.lines().filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect();
    assert_eq!(counts.iter().sum::<usize>(), errors, "the report says\n{report}");
    Ok(counts.len())
}
