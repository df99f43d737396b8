//! Waits for a time to come, in jobs, in local tasks and in the body of a `block_on`, on every driver.
//!
//! ```
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pool = millpond::Pool::builder().worker_threads(1).build()?;
//! let job = pool.spawn(|| async {
//!     let never = std::future::pending::<()>();
//!     millpond::time::timeout(Duration::from_millis(5), never).await
//! });
//! assert!(job.join()?.is_err(), "it took too long");
//! # Ok(()) }
//! ```
//!
//! A timer is never early. How late it is depends on the driver: on io_uring and epoll a worker with nothing else to do
//! wakes at the next millisecond, the grain of monoio's own timers, and on [`Driver::Park`](crate::Driver::Park) at once.
//! Where tasks run, timers are looked at between them, about every 200 microseconds; a task that computes without an
//! await holds them up.
//!
//! monoio's own timers work too, in the pools that run on it.

use crate::{
    driver::timers::{self, Timer},
    sync::now,
};
use std::{
    error::Error,
    fmt,
    future::{Future, IntoFuture, poll_fn},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// What stands for a time past the end of the clock: 30 years. No process is to see it.
const FAR_S: u64 = 30 * 365 * 24 * 60 * 60;

/// Waits until `duration` has passed since this call.
///
/// Ready at the second poll at the earliest, so that others get their turn even if the duration is zero. A duration past
/// the end of the clock is waited for as good as for ever.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let start = Instant::now();
/// pool.block_on(millpond::time::sleep(Duration::from_millis(5)));
/// assert!(start.elapsed() >= Duration::from_millis(5));
/// # Ok(()) }
/// ```
///
/// # Panics
/// When it is polled outside a pool's loops, by another executor or on a thread of
/// [`spawn_blocking`](crate::spawn_blocking).
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(after(duration))
}

/// Waits until `deadline`. See [`sleep`].
///
/// ```
/// use std::time::{Duration, Instant};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let deadline = Instant::now() + Duration::from_millis(5);
/// pool.block_on(millpond::time::sleep_until(deadline));
/// assert!(Instant::now() >= deadline);
/// # Ok(()) }
/// ```
///
/// # Panics
/// As `sleep` does.
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { deadline, state: State::New }
}

/// Waits for `future` for as long as `duration` since this call, and then drops it.
///
/// The future is looked at first: one that is ready when the time is up has won.
///
/// ```
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let number = pool.block_on(millpond::time::timeout(Duration::from_secs(60), async { 7 }));
/// assert_eq!(number, Ok(7));
/// # Ok(()) }
/// ```
///
/// # Errors
/// [`Elapsed`] when the time was up first.
///
/// # Cancel safety
/// Dropping it drops the future. To keep the future beyond its time, give it by reference: `timeout(…, &mut future)`.
///
/// # Panics
/// As [`sleep`] does, and with the future's own panic.
pub fn timeout<F: IntoFuture>(
    duration: Duration,
    future: F,
) -> impl Future<Output = Result<F::Output, Elapsed>> {
    timeout_at(after(duration), future)
}

/// Waits for `future` until `deadline`. See [`timeout`].
///
/// ```
/// use std::time::Instant;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pool = millpond::Pool::builder().worker_threads(1).build()?;
/// let deadline = Instant::now(); // one for several waits
/// let late = pool.block_on(millpond::time::timeout_at(deadline, std::future::pending::<()>()));
/// assert!(late.is_err());
/// # Ok(()) }
/// ```
///
/// # Errors
/// # Cancel safety
/// # Panics
/// As of `timeout`.
pub fn timeout_at<F: IntoFuture>(
    deadline: Instant,
    future: F,
) -> impl Future<Output = Result<F::Output, Elapsed>> {
    let (future, mut limit) = (future.into_future(), sleep_until(deadline));
    async move {
        let mut future = pin!(future);
        // Ended by the future or by the timer: both have this task's waker from each poll.
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending => Pin::new(&mut limit).poll(cx).map(|()| Err(Elapsed(()))),
        })
        .await
    }
}

fn after(duration: Duration) -> Instant {
    let now = now();
    now.checked_add(duration).unwrap_or_else(|| now + Duration::from_secs(FAR_S))
}

/// Ends at its deadline.
/// Made by [`sleep`] and [`sleep_until`].
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let deadline = Instant::now() + Duration::from_secs(60);
/// assert_eq!(millpond::time::sleep_until(deadline).deadline(), deadline);
/// ```
///
/// Dropping it cancels the wait, and leaves nothing behind. It stays ready once it was. Made anywhere, it waits in the
/// loop that polls it first, and in another one of the same thread if that goes on to poll it.
///
/// # Cancel safety
/// Polling by reference (`(&mut sleep).await`) loses nothing when it is dropped before the end.
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep {
    deadline: Instant,
    state: State,
}

enum State {
    /// Not polled yet.
    New,
    /// Among the timers of the loop that polled it last.
    Waiting(Timer),
    /// It was ready.
    Over,
}

impl Sleep {
    /// When it ends.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let timers = || {
            timers::current().unwrap_or_else(|| {
                panic!("millpond::time was awaited outside a pool's loops; await it in a job or in Pool::block_on")
            })
        };
        match &self.state {
            State::Over => return Poll::Ready(()),
            State::Waiting(timer) if timer.is_of(&timers()) => {
                if timer.poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.state = State::Over;
                return Poll::Ready(());
            }
            State::New | State::Waiting(_) => {}
        }
        self.state = State::Waiting(timers().start(self.deadline, cx.waker()));
        Poll::Pending
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// The time of a [`timeout`] was up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time was up")
    }
}

impl Error for Elapsed {}
