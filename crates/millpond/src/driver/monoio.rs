//! monoio underneath a loop, on io_uring or on epoll.
//!
//! What its 0.2.4 asks of us, each read in its source and seen: a root future that wakes itself never lets the driver
//! run without `sync`, so a turn waits for a completion instead; wakes from other threads do not reach a root future
//! without `sync`, so a wait is for our own eventfd; and an operation in flight when a runtime is dropped leaves its
//! buffer to the kernel, so those are waited for.

use super::{Driver, Port, Signal, event_fd::EventFd, ring, ring::Ring};
use crate::limits;
use ::monoio::{
    IoUringDriver, LegacyDriver, Runtime, RuntimeBuilder,
    fs::File,
    net::UnixStream,
    time::{Sleep, TimeDriver, sleep, sleep_until},
};
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

/// How long a loop that ends waits for operations that the kernel has not given back. Cancelled polls and socket
/// operations come back within a turn; a read of a slow disk, which can't be cancelled, within its own time, tens of
/// milliseconds on a loaded one. What takes ten times that hangs, on a network's file system say, and is leaked instead.
const QUIESCE_LIMIT_MS: u64 = 500;
/// How often it looks: the finest that monoio's timers know. There is nothing to wait on, since monoio wakes no one for
/// an operation that was dropped.
const QUIESCE_STEP_MS: u64 = 1;
/// Looks that it takes at least, whatever the clock says: a thread that got no CPU for all of the limit has not waited for
/// the kernel yet. At a step each, a tenth of the limit.
const QUIESCE_LEAST_LOOKS: u32 = 50;
/// Looks in a row that must find nothing in flight. With `sync`, monoio's own read may have just completed at the first,
/// and stand for one that is still in flight; by the second it is queued again.
const QUIET_LOOKS: u32 = 2;
/// A deadline further away than this is waited for in parts: monoio's timers panic on one that is too far.
const LONGEST_WAIT_S: u64 = 24 * 60 * 60;

/// monoio on io_uring.
pub(crate) struct IoUring {
    runtime: Runtime<TimeDriver<IoUringDriver>>,
    ring: Option<Ring>,
    signal: Arc<EventFd>,
}

/// monoio on epoll.
pub(crate) struct Epoll {
    runtime: Runtime<TimeDriver<LegacyDriver>>,
    signal: Arc<EventFd>,
}

impl Driver for IoUring {
    type Signal = EventFd;
    type Port = MonoioPort<RingWait>;

    fn signal() -> io::Result<EventFd> {
        EventFd::new()
    }

    fn check_room(signal: &EventFd, drivers: usize) -> io::Result<()> {
        check_room(signal, drivers)
    }

    fn new(signal: &Arc<EventFd>, ring_entries: u32) -> io::Result<IoUring> {
        let (runtime, ring) = ring::find(|| {
            RuntimeBuilder::<IoUringDriver>::new().with_entries(ring_entries).enable_timer().build()
        })?;
        Ok(IoUring { runtime, ring, signal: Arc::clone(signal) })
    }

    fn run<F: Future>(&mut self, make_loop: impl FnOnce(Self::Port) -> F) -> io::Result<F::Output> {
        let (signal, ring) = (&self.signal, self.ring);
        self.runtime.block_on(async move {
            // Both end as the port's and the loop's own waits do.
            let port = MonoioPort::open(RingWait::open(signal)?, Account::Unknown, ring).await;
            Ok(make_loop(port).await)
        })
    }

    fn dispose(self, quiet: bool) {
        if quiet {
            ring::alone(|| drop(self.runtime));
        } else {
            std::mem::forget(self.runtime);
        }
    }
}

impl Driver for Epoll {
    type Signal = EventFd;
    type Port = MonoioPort<EpollWait>;

    fn signal() -> io::Result<EventFd> {
        EventFd::new()
    }

    fn check_room(signal: &EventFd, drivers: usize) -> io::Result<()> {
        check_room(signal, drivers)
    }

    fn new(signal: &Arc<EventFd>, ring_entries: u32) -> io::Result<Epoll> {
        let runtime =
            RuntimeBuilder::<LegacyDriver>::new().with_entries(ring_entries).enable_timer().build()?;
        Ok(Epoll { runtime, signal: Arc::clone(signal) })
    }

    fn run<F: Future>(&mut self, make_loop: impl FnOnce(Self::Port) -> F) -> io::Result<F::Output> {
        let signal = &self.signal;
        self.runtime.block_on(async move {
            // Both end as the port's and the loop's own waits do.
            let port = MonoioPort::open(EpollWait::open(signal)?, Account::NoRing, None).await;
            Ok(make_loop(port).await)
        })
    }

    fn dispose(self, _quiet: bool) {
        // epoll has no operations in the kernel: a file is read by a call that has returned.
    }
}

/// What a driver opens beside its signal: all the descriptors of a worker but one.
fn check_room(signal: &EventFd, drivers: usize) -> io::Result<()> {
    signal.check_room_for((limits::FDS_PER_WORKER - 1) * drivers as u64)
}

/// The two waits that differ between io_uring and epoll.
pub(crate) trait Wait {
    /// Ends once the signal was given, and takes the signal back.
    fn signalled(&self) -> Step;
    /// Ends with the driver's next turn.
    fn turn(&self) -> Step;
}

type Step = Pin<Box<dyn Future<Output = ()>>>;

/// Waits with reads of the eventfd on the ring.
pub(crate) struct RingWait {
    file: Rc<File>,
}

impl RingWait {
    fn open(signal: &EventFd) -> io::Result<RingWait> {
        Ok(RingWait { file: Rc::new(File::from_std(signal.duplicate()?.into())?) })
    }

    fn read(&self, bytes: usize) -> Step {
        let file = Rc::clone(&self.file);
        Box::pin(async move {
            // What was read does not matter; that it was, does. An error (EINTR) is an early end, and the loop looks again.
            let _ = file.read_at(Vec::with_capacity(bytes), 0).await;
        })
    }
}

impl Wait for RingWait {
    fn signalled(&self) -> Step {
        // Completed by the kernel when the counter is above zero, which resets it.
        self.read(size_of::<u64>())
    }

    fn turn(&self) -> Step {
        // A read of no bytes completes within the submission that carries it: the driver enters the kernel once and finds
        // at least this completion.
        self.read(0)
    }
}

/// Waits with readiness of the eventfd in epoll. The stream is no socket; monoio has no other way to ask for the
/// readiness of a descriptor.
pub(crate) struct EpollWait {
    stream: Rc<UnixStream>,
    signal: Arc<EventFd>,
}

impl EpollWait {
    fn open(signal: &Arc<EventFd>) -> io::Result<EpollWait> {
        let stream = UnixStream::from_std(signal.duplicate()?.into())?;
        Ok(EpollWait { stream: Rc::new(stream), signal: Arc::clone(signal) })
    }
}

impl Wait for EpollWait {
    fn signalled(&self) -> Step {
        let (stream, signal) = (Rc::clone(&self.stream), Arc::clone(&self.signal));
        Box::pin(async move {
            // Ended by epoll when the counter is above zero; not relaxed, so monoio has looked with poll(2) as well.
            if stream.readable(false).await.is_ok() {
                signal.clear();
            }
        })
    }

    fn turn(&self) -> Step {
        let wait = EpollWait { stream: Rc::clone(&self.stream), signal: Arc::clone(&self.signal) };
        let mut signalled = wait.signalled();
        let mut given = false;
        Box::pin(poll_fn(move |cx| {
            if given {
                return signalled.as_mut().poll(cx);
            }
            // A signal from before would end this without a turn. It is not lost when it is taken back here: the loop looks
            // at everything before it waits.
            while signalled.as_mut().poll(cx).is_ready() {
                signalled = wait.signalled();
            }
            given = true;
            // The counter is above zero before the driver goes to sleep, so it doesn't.
            wait.signal.notify();
            Poll::Pending
        }))
    }
}

/// What is known of the operations in flight.
#[derive(Clone, Copy, Debug)]
enum Account {
    /// epoll keeps none.
    NoRing,
    /// The kernel does not tell, or not which ring is ours.
    Unknown,
    /// The ring, and how many operations the runtime itself keeps in it, jobs or no jobs.
    Ring { ring: Ring, own: u32 },
}

impl Account {
    /// Nothing is in flight but the runtime's own.
    fn is_quiet(self) -> bool {
        match self {
            Account::NoRing => true,
            Account::Unknown => false,
            Account::Ring { ring, own } => ring.counts().is_some_and(|counts| counts.in_flight <= own),
        }
    }
}

/// The port of either driver.
pub(crate) struct MonoioPort<W> {
    wait: W,
    account: Account,
    /// A wait under way. It stays armed over any number of polls, so one operation serves until the next signal.
    signalled: Option<Step>,
    turning: Option<Step>,
    /// The timer of the last deadline that was asked for.
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<W: Wait> MonoioPort<W> {
    async fn open(wait: W, otherwise: Account, ring: Option<Ring>) -> MonoioPort<W> {
        // Ended by the driver's turn. The first puts the runtime's own operations in place.
        wait.turn().await;
        let first = ring.and_then(Ring::counts);
        // The second shows that the ring is ours: the count goes up by our turn.
        wait.turn().await;
        let second = ring.and_then(Ring::counts);
        let account = match (ring, first, second) {
            (Some(ring), Some(first), Some(second)) if first.queued != second.queued => {
                Account::Ring { ring, own: second.in_flight }
            }
            _ => otherwise,
        };
        MonoioPort { wait, account, signalled: None, turning: None, timer: None }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.timer.as_ref().is_none_or(|(at, _)| *at != deadline) {
            let part = deadline.min(Instant::now() + Duration::from_secs(LONGEST_WAIT_S));
            self.timer = Some((deadline, Box::pin(sleep_until(::monoio::time::Instant::from_std(part)))));
        }
        let polled = self.timer.as_mut().map_or(Poll::Ready(()), |(_, timer)| timer.as_mut().poll(cx));
        if polled.is_ready() {
            self.timer = None;
        }
        polled
    }
}

impl<W: Wait> Port for MonoioPort<W> {
    fn poll_wait(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        match deadline {
            Some(deadline) if self.poll_deadline(cx, deadline).is_ready() => return Poll::Ready(()),
            Some(_) => {}
            // One that is left over would wake the loop for nothing.
            None => self.timer = None,
        }
        poll_step(&mut self.signalled, || self.wait.signalled(), cx)
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        poll_step(&mut self.turning, || self.wait.turn(), cx)
    }

    async fn quiesce(mut self) -> bool {
        // Dropping the wait cancels its operation, which then counts among those to wait for.
        (self.signalled, self.turning, self.timer) = (None, None, None);
        let give_up = Instant::now() + Duration::from_millis(QUIESCE_LIMIT_MS);
        let (mut looks, mut quiet_looks) = (0, 0);
        loop {
            // Ended by the driver's turn. It submits the cancellations that the drops have queued.
            self.wait.turn().await;
            looks += 1;
            quiet_looks = if self.account.is_quiet() { quiet_looks + 1 } else { 0 };
            if quiet_looks == QUIET_LOOKS {
                return true;
            }
            let late = looks >= QUIESCE_LEAST_LOOKS && Instant::now() > give_up;
            if matches!(self.account, Account::Unknown) || late {
                return false;
            }
            if quiet_looks == 0 {
                // Ended by monoio's timer.
                sleep(Duration::from_millis(QUIESCE_STEP_MS)).await;
            }
        }
    }
}

/// Polls the step under way, or a new one.
fn poll_step(step: &mut Option<Step>, start: impl FnOnce() -> Step, cx: &mut Context<'_>) -> Poll<()> {
    let polled = step.get_or_insert_with(start).as_mut().poll(cx);
    if polled.is_ready() {
        *step = None;
    }
    polled
}

#[cfg(all(test, not(millpond_loom)))]
mod tests {
    use super::*;
    use std::{cell::Cell, thread};

    /// Its thread gets no CPU in the first turn for as long as `quiesce` waits.
    struct Starved(Cell<bool>);

    impl Wait for Starved {
        fn signalled(&self) -> Step {
            unreachable!("it only has turns")
        }

        fn turn(&self) -> Step {
            if self.0.replace(false) {
                thread::sleep(Duration::from_millis(QUIESCE_LIMIT_MS + 1));
            }
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn a_loop_that_got_no_cpu_does_not_leak_its_runtime() {
        let wait = Starved(Cell::new(true));
        let port = MonoioPort { wait, account: Account::NoRing, signalled: None, turning: None, timer: None };
        assert!(futures_lite::future::block_on(port.quiesce()));
    }
}
