//! Plain threads that share a pool: a full queue holds them back, a result is joined, and one that takes too long is given
//! up. Four threads write readings of a sensor each, and check what they have written.
//!
//! ```text
//! $ cargo run --release --example from_threads
//! thread 0: 50 pages written, and 12800 readings add up to 1632000
//! thread 1: 50 pages written, and 12800 readings add up to 1632000
//! thread 2: 50 pages written, and 12800 readings add up to 1632000
//! thread 3: 50 pages written, and 12800 readings add up to 1632000
//! a job that would take an hour was not done after 20 ms, and was aborted
//! 204 jobs completed, 1 aborted
//! ```
//!
//! None of the threads has a runtime, or needs one. `submit_blocking` and `join` park them. On a worker of the same pool
//! both would be a deadlock, and say so: a job uses `submit` and awaits.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{io, thread};

use millpond::{Handle, JoinHandle, Pool};
use monoio::fs::{File, OpenOptions};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const THREADS: usize = 4;
const PAGES: usize = 50;
const PAGE_READINGS: usize = 256;

/// Fewer than the threads have pages: they are held back while the pool writes.
const QUEUE: usize = 8;

/// How long the job may take that never ends.
const SHORT_LIMIT: Duration = Duration::from_millis(20);

fn main() -> Result<()> {
    let pool = Pool::builder().worker_threads(2).queue_capacity(QUEUE).build()?;
    let folder = tempfile::tempdir()?;

    thread::scope(|scope| {
        let sensor = |number| {
            let (pool, path) = (pool.handle(), folder.path().join(format!("sensor-{number}")));
            scope.spawn(move || write_and_check(&pool, &path))
        };
        let sensors: Vec<_> = (0..THREADS).map(sensor).collect();
        for (number, sensor) in sensors.into_iter().enumerate() {
            // Ended by the thread's end, which that of its jobs brings about.
            let sum = sensor.join().expect("no thread panics")?;
            let readings = PAGES * PAGE_READINGS;
            println!("thread {number}: {PAGES} pages written, and {readings} readings add up to {sum}");
        }
        Result::Ok(())
    })?;

    give_up(pool.spawn(|| millpond::time::sleep(Duration::from_secs(3600))));

    // Ended by the last job's end.
    let receipt = pool.shutdown_blocking();
    println!("{} jobs completed, {} aborted", receipt.completed, receipt.aborted);
    Ok(())
}

/// One thread's work: its pages in any order, and then all of them read by one job.
fn write_and_check(pool: &Handle, path: &Path) -> Result<u64> {
    std::fs::File::create(path)?;
    let mut jobs: Vec<JoinHandle<io::Result<()>>> = Vec::new();
    for page in 0..PAGES {
        let path = path.to_owned();
        // Returns when the queue has room: that is what holds this thread back.
        jobs.push(pool.submit_blocking(move || write_page(path, page))?);
    }
    for job in jobs {
        // Ended by the job's end. Two results: whether the job ran, and its own.
        job.join()??;
    }
    let theirs = path.to_owned();
    let sum = pool.submit_blocking(move || add_up(theirs))?.join()??;
    assert_eq!(sum, (0..PAGES * PAGE_READINGS).map(|at| u64::from(reading(at))).sum());
    Ok(sum)
}

/// Waits for a while and no longer. The handle comes back where the time is up: to wait on, to abort, or to drop, which lets
/// the job run on.
fn give_up(job: JoinHandle<()>) {
    // Ended by the limit.
    let job = job.join_timeout(SHORT_LIMIT).expect_err("an hour is longer than the limit");
    job.abort();
    // Ended by the abort.
    assert!(job.join().is_err_and(|error| error.is_aborted()));
    let limit = SHORT_LIMIT.as_millis();
    println!("a job that would take an hour was not done after {limit} ms, and was aborted");
}

/// Runs on a worker.
async fn write_page(path: PathBuf, page: usize) -> io::Result<()> {
    let readings: Vec<u8> = (0..PAGE_READINGS).map(|at| reading(page * PAGE_READINGS + at)).collect();
    // Both ended by the ring's completions.
    let file = OpenOptions::new().write(true).open(path).await?;
    file.write_all_at(readings, (page * PAGE_READINGS) as u64).await.0
}

/// Runs on a worker.
async fn add_up(path: PathBuf) -> io::Result<u64> {
    let file = File::open(path).await?;
    let readings = vec![0; PAGES * PAGE_READINGS];
    let (read, readings) = file.read_exact_at(readings, 0).await;
    read?;
    Ok(readings.into_iter().map(u64::from).sum())
}

/// What a sensor says at that time.
fn reading(at: usize) -> u8 {
    (at * 7) as u8
}
