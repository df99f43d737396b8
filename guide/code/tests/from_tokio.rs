//! The pieces of the chapter "From tokio".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use millpond::{JoinError, time};
use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

// ANCHOR: inside
/// Read on the pool's rings, and awaited in a task of tokio's. It is `Send`, as that
/// has to be.
async fn text(pool: millpond::Handle, path: PathBuf) -> io::Result<String> {
    let read = pool.spawn(|| monoio::fs::read(path)).await;
    let bytes = read.map_err(io::Error::other)??; // the job's error, then the file's
    String::from_utf8(bytes).map_err(io::Error::other)
}
// ANCHOR_END: inside

// ANCHOR: back
/// A job that needs something of tokio's reactor has tokio run it, and waits for the
/// answer.
async fn by_tokio(tokio: tokio::runtime::Handle) -> &'static str {
    let answer = tokio.spawn(async {
        // A client of a database, say.
        tokio::time::sleep(Duration::from_millis(1)).await;
        "the answer"
    });
    answer.await.expect("the task ends")
}
// ANCHOR_END: back

#[test]
fn a_pool_and_tokio_work_side_by_side() {
    unhung("a_pool_and_tokio_work_side_by_side", || {
        let tokio =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("poem");
        std::fs::write(&path, "a mill, a pond").unwrap();
        for pool in common::pools_on(common::io_drivers(), 1) {
            let text = tokio.spawn(text(pool.handle(), path.clone()));
            assert_eq!(tokio.block_on(text).unwrap().unwrap(), "a mill, a pond");
            let handle = tokio.handle().clone();
            assert_eq!(pool.spawn(|| by_tokio(handle)).join().unwrap(), "the answer");
        }
    });
}

// ANCHOR: channels
/// tokio's channels need no runtime of tokio's: they work in jobs as they are.
async fn sum(mut numbers: mpsc::Receiver<u32>, done: oneshot::Sender<u32>) {
    let mut sum = 0;
    while let Some(number) = numbers.recv().await {
        sum += number;
    }
    let _ = done.send(sum);
}
// ANCHOR_END: channels

#[test]
fn tokios_channels_work_in_jobs() {
    unhung("tokios_channels_work_in_jobs", || {
        let pool = common::pool(2);
        let ((send, numbers), (done, is_done)) = (mpsc::channel(4), oneshot::channel());
        drop(pool.spawn(|| sum(numbers, done)));
        (1..=100).for_each(|number| send.blocking_send(number).unwrap());
        drop(send);
        assert_eq!(is_done.blocking_recv().unwrap(), 5050);
    });
}

// ANCHOR: rc
/// Three tasks of one worker share a value. With tokio's `spawn` this is an
/// `Arc<Mutex<Vec<_>>>`.
async fn shared() -> Result<Vec<u32>, JoinError> {
    let found = Rc::new(RefCell::new(Vec::new()));
    let mut tasks = Vec::new();
    for number in 0..3 {
        let found = Rc::clone(&found);
        tasks.push(millpond::spawn_local(async move { found.borrow_mut().push(number) }));
    }
    for task in tasks {
        task.await?;
    }
    Ok(found.take())
}
// ANCHOR_END: rc

#[test]
fn tasks_of_one_worker_share_without_locks() {
    unhung("tasks_of_one_worker_share_without_locks", || {
        assert_eq!(common::pool(2).spawn(shared).join().unwrap().unwrap(), [0, 1, 2]);
    });
}

// ANCHOR: select
/// Messages until there are no more, or until somebody says stop. `tokio::select!`
/// works on any executor.
async fn until_stopped(mut messages: mpsc::Receiver<u32>, mut stop: oneshot::Receiver<()>) -> u32 {
    let mut count = 0;
    loop {
        tokio::select! {
            message = messages.recv() => match message {
                Some(_) => count += 1,
                None => return count,
            },
            _ = &mut stop => return count,
        }
    }
}
// ANCHOR_END: select

#[test]
fn select_chooses_in_a_job() {
    unhung("select_chooses_in_a_job", || {
        let pool = common::pool(1);
        let ((send, messages), (stop, stopped)) = (mpsc::channel(1), oneshot::channel());
        let count = pool.spawn(|| until_stopped(messages, stopped));
        (0..10).for_each(|number| send.blocking_send(number).unwrap());
        // There was room for it: the ten before it have been received.
        send.blocking_send(10).unwrap();
        stop.send(()).unwrap();
        assert!((10..=11).contains(&count.join().unwrap()));

        let ((send, messages), (_stop, stopped)) = (mpsc::channel(1), oneshot::channel());
        let count = pool.spawn(|| until_stopped(messages, stopped));
        (0..10).for_each(|number| send.blocking_send(number).unwrap());
        drop(send);
        assert_eq!(count.join().unwrap(), 10);
    });
}

// ANCHOR: interval
/// tokio's `interval`: the next time is counted from the last one that was due, so it
/// does not drift.
async fn every(period: Duration, times: u32, mut tick: impl FnMut(u32)) {
    let mut next = Instant::now();
    for number in 0..times {
        next += period;
        time::sleep_until(next).await;
        tick(number);
    }
}
// ANCHOR_END: interval

#[test]
fn an_interval_ticks() {
    unhung("an_interval_ticks", || {
        let mut ticks = Vec::new();
        common::pool(1).block_on(every(Duration::from_millis(2), 3, |number| ticks.push(number)));
        assert_eq!(ticks, [0, 1, 2]);
    });
}

#[test]
fn each_runtime_has_what_is_its_own_and_no_more() {
    unhung("each_runtime_has_what_is_its_own_and_no_more", || {
        let pool = common::pool(1);
        let job = pool.spawn(|| async { tokio::time::sleep(Duration::from_millis(1)).await });
        assert!(job.join().unwrap_err().is_panic(), "there is no reactor of tokio's on a worker");

        let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let task = tokio.spawn(async {
            let (ours, _theirs) = std::os::unix::net::UnixStream::pair().unwrap();
            drop(monoio::net::UnixStream::from_std(ours));
        });
        assert!(tokio.block_on(task).unwrap_err().is_panic(), "there is no ring in tokio's task");
    });
}

#[test]
fn reading_a_file_whole_goes_by_its_length() {
    unhung("reading_a_file_whole_goes_by_its_length", || {
        for pool in common::pools_on(common::io_drivers(), 1) {
            assert!(pool.spawn(|| monoio::fs::read("/proc/self/status")).join().unwrap().unwrap().is_empty());
        }
    });
}
