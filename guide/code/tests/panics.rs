//! The pieces of the chapter "Panics and cancellation".

#[path = "../../../crates/millpond/tests/common/mod.rs"]
mod common;

use common::unhung;
use futures_util::future::{Either, select};
use millpond::net::Stream;
use millpond::{Pool, channel};
use monoio::io::{AsyncWriteRentExt, CancelableAsyncReadRent, Canceller};
use monoio::net::UnixStream;
use std::future::pending;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream as StdStream;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};

// ANCHOR: panic
fn a_panic_is_an_error_of_its_job(pool: &Pool) {
    let numbers: Vec<u32> = Vec::new();
    let fails = pool.spawn(move || async move { numbers[3] });
    let works = pool.spawn(|| async { 42 });

    let error = fails.join().unwrap_err();
    assert!(error.is_panic());
    assert!(error.to_string().starts_with("the job panicked on worker "), "{error}");
    assert_eq!(works.join().expect("the other one is not harmed"), 42);
}
// ANCHOR_END: panic

#[test]
fn a_panic_harms_its_own_job_only() {
    unhung("a_panic_harms_its_own_job_only", || a_panic_is_an_error_of_its_job(&common::pool(1)));
}

// ANCHOR: abort
/// Sets a flag when it is dropped.
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

fn an_abort_drops_the_future(pool: &Pool) {
    let dropped = Arc::new(AtomicBool::new(false));
    let guard = Guard(Arc::clone(&dropped));
    let job = pool.spawn(move || async move {
        let _guard = guard;
        pending::<()>().await;
    });
    job.abort(); // waits for nothing
    let error = job.join().unwrap_err(); // this does
    assert!(error.is_aborted() && error.is_cancelled());
    assert!(dropped.load(SeqCst), "what it held is gone when its handle says so");
}
// ANCHOR_END: abort

#[test]
fn an_aborted_job_is_dropped_before_its_handle_resolves() {
    unhung("an_aborted_job_is_dropped_before_its_handle_resolves", || {
        an_abort_drops_the_future(&common::pool(1));
    });
}

// ANCHOR: too_late
fn what_computes_is_not_interrupted(pool: &Pool) {
    let (begin, begun) = mpsc::channel();
    let (go_on, gate) = mpsc::channel::<()>();
    let job = pool.spawn(move || async move {
        begin.send(()).expect("the test is there");
        // Stands for a computation: no await in it.
        gate.recv().expect("the test goes on");
        "done"
    });
    begun.recv().expect("it begins");
    job.abort();
    go_on.send(()).expect("the job is there");
    // Its only poll ended with a result, and a result is a result.
    assert_eq!(job.join().expect("it has completed"), "done");
}
// ANCHOR_END: too_late

#[test]
fn an_abort_waits_for_the_next_await() {
    unhung("an_abort_waits_for_the_next_await", || what_computes_is_not_interrupted(&common::pool(1)));
}

// ANCHOR: owner
/// The memory of a buffer, which says when it is freed.
struct Memory {
    bytes: Vec<u8>,
    freed: mpsc::Sender<()>,
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let _ = self.freed.send(());
    }
}

/// A write into a socket whose peer does not read, so that it stays in flight.
async fn write_for_ever(mut stream: UnixStream, memory: Memory, begin: mpsc::Sender<()>) {
    let buffer = bytes::Bytes::from_owner(memory);
    begin.send(()).expect("the test is there");
    // The buffer is the operation's until this is ready.
    let _ = stream.write_all(buffer).await;
}
// ANCHOR_END: owner

/// More than the kernel takes for a Unix socket that nobody reads.
const TOO_MANY_BYTES: usize = 16 << 20;

fn a_write_in_flight(pool: &Pool) -> (millpond::JoinHandle<()>, StdStream, mpsc::Receiver<()>) {
    let (ours, theirs) = StdStream::pair().unwrap();
    let ((freed, is_freed), (begin, begun)) = (mpsc::channel(), mpsc::channel());
    let memory = Memory { bytes: vec![7; TOO_MANY_BYTES], freed };
    let driver = pool.driver();
    let job = pool.spawn(move || async move {
        write_for_ever(Stream::from_std(ours, driver).unwrap(), memory, begin).await;
    });
    begun.recv().unwrap();
    (job, theirs, is_freed)
}

#[test]
fn an_aborted_write_gives_its_buffer_up_when_the_kernel_is_done() {
    unhung("an_aborted_write_gives_its_buffer_up_when_the_kernel_is_done", || {
        for pool in common::pools_on(common::io_drivers(), 1) {
            let (job, _peer, is_freed) = a_write_in_flight(&pool);
            job.abort();
            assert!(job.join().unwrap_err().is_aborted());
            // Freed when the kernel has given the operation back; nobody has to do anything for that.
            is_freed.recv().unwrap();
        }
    });
}

#[test]
fn a_pool_that_has_gone_has_no_buffer_in_the_kernel() {
    unhung("a_pool_that_has_gone_has_no_buffer_in_the_kernel", || {
        for pool in common::pools_on(common::io_drivers(), 1) {
            let (_job, _peer, is_freed) = a_write_in_flight(&pool);
            drop(pool);
            is_freed.try_recv().expect("the drop has waited for the kernel");
        }
    });
}

// ANCHOR: cancel
/// Reads until something comes or `stop` does. What was read is not lost, whichever
/// was first.
async fn read_or_stop(stream: &mut UnixStream, stop: channel::Receiver<()>) -> Option<Vec<u8>> {
    let canceller = Canceller::new();
    let mut read = pin!(stream.cancelable_read(vec![0; 1024], canceller.handle()));
    let mut stop = pin!(stop.recv());
    let (result, mut buffer) = match select(&mut read, &mut stop).await {
        Either::Left((read, _)) => read,
        Either::Right(_) => {
            canceller.cancel(); // asks the kernel …
            // … and waits for its answer: bytes, if they were faster, or ECANCELED.
            read.await
        }
    };
    buffer.truncate(result.ok()?);
    Some(buffer)
}
// ANCHOR_END: cancel

#[test]
fn a_read_that_is_cancelled_and_awaited_loses_nothing() {
    unhung("a_read_that_is_cancelled_and_awaited_loses_nothing", || {
        for pool in common::pools_on(common::io_drivers(), 1) {
            let (ours, mut peer) = StdStream::pair().unwrap();
            let (stop, stopped) = channel::bounded::<()>(1);
            let driver = pool.driver();
            let job = pool.spawn(move || async move {
                let mut stream = Stream::from_std(ours, driver).unwrap();
                drop(stop); // at once: the read is cancelled
                let first = read_or_stop(&mut stream, stopped).await;
                let (_never, open) = channel::bounded(1);
                (first, read_or_stop(&mut stream, open).await)
            });
            peer.write_all(b"all of it").unwrap();
            peer.shutdown(std::net::Shutdown::Write).unwrap();
            let (first, second) = job.join().unwrap();
            let all = [first, second].into_iter().flatten().flatten().collect::<Vec<u8>>();
            assert_eq!(all, b"all of it");
            let mut rest = Vec::new();
            peer.read_to_end(&mut rest).unwrap();
        }
    });
}
