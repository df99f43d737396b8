//! A smol program whose files are a pool's: it copies a folder, with a task of smol's and a job for each file, a limit on the
//! time of each, and a job that awaits smol's channel and keeps the list of what was copied.
//!
//! ```text
//! $ cargo run --release --example from_smol
//! 12 files with 786432 bytes copied, and each is the same
//! the list has 12 lines
//! a job that would take an hour was aborted after 20 ms
//! 13 jobs completed, 1 aborted
//! ```
//!
//! smol's executor runs on this thread, and the pool's workers on theirs. What joins them are wakers: a [`JoinHandle`] is a
//! future for whoever polls it, and so is what smol's channels and tasks give to a job. Files, sockets and timers are the
//! runtime's that made them: in a job monoio's, and `millpond::time`.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use millpond::{Handle, JoinError, JoinHandle, Pool};
use monoio::fs::File;
use smol::channel::{self, Receiver, Sender};
use smol::future::FutureExt as _;
use smol::{LocalExecutor, Timer};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const FILES: usize = 12;
const FILE_BYTES: usize = 64 << 10;

/// A read and a write at a time. Large enough that a system call is little beside the copy, small enough for a cache.
const BUFFER_BYTES: usize = 32 << 10;

/// What a task waits for a copy. Only a disk that hangs takes as long.
const LIMIT: Duration = Duration::from_secs(10);

/// How long the job may take that never ends.
const SHORT_LIMIT: Duration = Duration::from_millis(20);

fn main() -> Result<()> {
    let pool = Pool::builder().worker_threads(2).queue_capacity(64).build()?;
    let folder = tempfile::tempdir()?;
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    fs::create_dir(&from)?;
    fs::create_dir(&to)?;
    for number in 0..FILES {
        let contents: Vec<u8> = (0..FILE_BYTES).map(|at| (at * (number + 7)) as u8).collect();
        fs::write(from.join(format!("{number:02}")), contents)?;
    }

    let executor = LocalExecutor::new();
    // Ended by what it awaits: copies within their limits, and the pool's last job.
    smol::block_on(executor.run(async {
        let copied = copy_folder(&executor, &pool.handle(), &from, &to).await?;
        println!("{FILES} files with {copied} bytes copied, and each is the same");
        println!("the list has {} lines", fs::read_to_string(to.join("list"))?.lines().count());

        let hour = pool.spawn(|| millpond::time::sleep(Duration::from_secs(3600)));
        let error = within(SHORT_LIMIT, hour).await.expect_err("an hour is longer than the limit");
        assert!(error.is_aborted());
        println!("a job that would take an hour was aborted after {} ms", SHORT_LIMIT.as_millis());

        // Ended by the last job's end. Other tasks of smol's run meanwhile.
        let receipt = pool.shutdown().await;
        println!("{} jobs completed, {} aborted", receipt.completed, receipt.aborted);
        Ok(())
    }))
}

/// A task of smol's for each file, and one job that lists what they have copied.
async fn copy_folder(executor: &LocalExecutor<'_>, pool: &Handle, from: &Path, to: &Path) -> Result<u64> {
    let (done, copies) = channel::bounded(4);
    let path = to.join("list");
    // Ended when the queue has room.
    let list = pool.submit(move || keep_list(path, copies)).await?;
    let mut tasks = Vec::new();
    for number in 0..FILES {
        let name = format!("{number:02}");
        let copy = copy_one(pool.clone(), from.join(&name), to.join(&name), done.clone());
        tasks.push(executor.spawn(copy));
    }
    // With the last sender the channel ends, and with that the job.
    drop(done);
    let mut copied = 0;
    for task in tasks {
        // Ended by the copy, or by its limit.
        copied += task.await?;
    }
    // Ended by the end of the last task, which had the last sender. Then there are two results to look at: whether the job ran,
    // and its own.
    let listed = list.await??;
    assert_eq!(listed, copied, "the list is of all copies");
    Ok(copied)
}

/// Runs in smol: a job that copies, a look at the copy, and a line for the list.
async fn copy_one(pool: Handle, from: PathBuf, to: PathBuf, done: Sender<(PathBuf, u64)>) -> Result<u64> {
    let (source, target) = (from.clone(), to.clone());
    let copied = within(LIMIT, pool.submit(move || copy(source, target)).await?).await??;
    // smol's own files are threads that block. They do as well, where it is a few.
    assert_eq!(smol::fs::read(&from).await?, smol::fs::read(&to).await?, "{} is copied", to.display());
    // Ended by the list's job, which takes the line. A job that is gone by now has an error of its own.
    let _ = done.send((to, copied)).await;
    Ok(copied)
}

/// Awaits a job for as long as `limit`, and aborts it then: to drop its handle alone would let it run on.
async fn within<T>(limit: Duration, mut job: JoinHandle<T>) -> std::result::Result<T, JoinError> {
    let in_time = async { Some((&mut job).await) };
    let too_late = async {
        Timer::after(limit).await;
        None
    };
    // Ended by the job or by the timer.
    match in_time.or(too_late).await {
        Some(result) => result,
        None => {
            job.abort();
            // Ended by the abort. The job may have come to its end just before: then there is a result.
            job.await
        }
    }
}

/// Runs on a worker: the ring reads into the buffer, and writes from it.
async fn copy(from: PathBuf, to: PathBuf) -> io::Result<u64> {
    let (from, to) = (File::open(from).await?, File::create(to).await?);
    let (mut buffer, mut copied) = (Vec::with_capacity(BUFFER_BYTES), 0);
    loop {
        // A buffer belongs to the ring while it is read into or written from, and comes back with the result.
        let (read, filled) = from.read_at(buffer, copied).await;
        if read? == 0 {
            break;
        }
        let (written, filled) = to.write_all_at(filled, copied).await;
        written?;
        copied += filled.len() as u64;
        buffer = filled;
        buffer.clear();
    }
    // Explicit, as a drop has nobody to tell of an error.
    to.close().await?;
    Ok(copied)
}

/// Runs on a worker, and awaits what smol's tasks send: they run on another thread, and wake this job from there.
async fn keep_list(path: PathBuf, copies: Receiver<(PathBuf, u64)>) -> io::Result<u64> {
    let list = File::create(path).await?;
    let (mut end, mut sum) = (0, 0);
    // Ended by the drop of the last sender, which each task has when it ends.
    while let Ok((copy, bytes)) = copies.recv().await {
        let line = format!("{} {bytes}\n", copy.display()).into_bytes();
        let len = line.len() as u64;
        list.write_all_at(line, end).await.0?;
        (end, sum) = (end + len, sum + bytes);
    }
    list.close().await?;
    Ok(sum)
}
