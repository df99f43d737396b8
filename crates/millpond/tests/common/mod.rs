//! What the integration tests share.
#![allow(dead_code, unreachable_pub, missing_docs)] // Each test binary uses a part of it.

use millpond::{Builder, Driver, Pin, Pool};
use std::{
    io::{Write, stdout},
    pin::pin,
    sync::mpsc,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

/// Far longer than any test takes on a busy machine of two cores: only a hang gets there. Miri's clock goes by the steps
/// that it interprets, and far too fast.
const HANG_S: u64 = if cfg!(miri) { 24 * 60 * 60 } else { 120 };

/// What the environment says that pools run on; `cargo xtask test drivers` does so, with one after the other.
fn told() -> Option<Driver> {
    match std::env::var("MILLPOND_TEST_DRIVER").as_deref() {
        Err(_) => None,
        Ok("uring") => Some(Driver::IoUring),
        Ok("epoll") => Some(Driver::Epoll),
        Ok("park") => Some(Driver::Park),
        Ok(unknown) => panic!("MILLPOND_TEST_DRIVER is {unknown:?}; it can be uring, epoll or park"),
    }
}

/// Those that a test goes through which looks at each: all of them, or the one of the environment.
pub fn drivers() -> Vec<Driver> {
    told().map_or_else(|| vec![Driver::Auto, Driver::Epoll, Driver::Park], |driver| vec![driver])
}

/// The same for a test that needs files or sockets. Where the environment names a driver without, it runs on the others
/// all the same.
pub fn io_drivers() -> Vec<Driver> {
    let has_io = |driver: &Driver| *driver != Driver::Park;
    told().filter(has_io).map_or_else(|| vec![Driver::Auto, Driver::Epoll], |driver| vec![driver])
}

/// A pool whose threads the kernel may move: tests run side by side, and pinned pools would pile up on the first CPUs.
pub fn builder(workers: usize) -> Builder {
    Pool::builder().worker_threads(workers).pin(Pin::None).driver(told().unwrap_or_default())
}

pub fn pool(workers: usize) -> Pool {
    builder(workers).build().expect("a pool starts")
}

/// A pool on each of these drivers.
pub fn pools_on(drivers: Vec<Driver>, workers: usize) -> impl Iterator<Item = Pool> {
    drivers.into_iter().map(move |driver| builder(workers).driver(driver).build().expect("a pool starts"))
}

/// A pool of one worker that is held up, so that what is sent stays in the queue. Dropping the sender lets it go.
pub fn held(queue_capacity: usize) -> (Pool, mpsc::Sender<()>) {
    held_on(told().unwrap_or_default(), queue_capacity)
}

/// The same on this driver.
pub fn held_on(driver: Driver, queue_capacity: usize) -> (Pool, mpsc::Sender<()>) {
    let pool = builder(1).driver(driver).queue_capacity(queue_capacity).build().expect("a pool starts");
    let release = hold(&pool, 0);
    (pool, release)
}

/// Holds one worker up, until the sender is dropped. Returns once it computes.
pub fn hold(pool: &Pool, worker: usize) -> mpsc::Sender<()> {
    let (release, gate) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    let job = move || async move {
        begun.send(()).unwrap();
        // Ended by the drop of `release`.
        let _ = gate.recv();
    };
    drop(pool.spawn_on(pool.workers()[worker], job).unwrap());
    has_begun.recv().unwrap();
    release
}

/// Runs `test`, and ends the process with its name if it hangs: a lost wake fails, and does not stall the suite.
pub fn unhung(name: &str, test: impl FnOnce()) {
    let (done, is_done) = mpsc::channel::<()>();
    let name = name.to_owned();
    let watchdog = thread::spawn(move || {
        // Ended by the sender's drop, when the test ends or panics.
        if is_done.recv_timeout(Duration::from_secs(HANG_S)) == Err(mpsc::RecvTimeoutError::Timeout) {
            // Past the capture of a test's output, which ends with the process.
            let _ = writeln!(stdout(), "\n---- {name} hangs ----");
            std::process::abort();
        }
    });
    test();
    drop(done);
    watchdog.join().expect("the watchdog ends");
}

/// Pending once, and ready to go on at once.
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Polls once, with a waker that does nothing.
pub fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}
