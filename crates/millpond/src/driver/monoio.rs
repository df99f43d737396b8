//! monoio underneath a loop, on io_uring or on epoll.
//!
//! What its 0.2.4 asks of us, each read in its source and seen: a root future that wakes itself never lets the driver
//! run without `sync`, so a turn waits for a completion instead; wakes from other threads do not reach a root future
//! without `sync`, so a wait is for our own eventfd; and an operation in flight when a runtime is dropped leaves its
//! buffer to the kernel, so those are waited for.

use super::{Driver, EventFd, Port, Signal, ring, ring::Ring};
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
/// operations come back within a turn; a read of a slow disk, which can't be cancelled, within its own time. What takes
/// longer hangs, and is leaked instead.
const QUIESCE_LIMIT_MS: u64 = 500;
/// How often it looks. There is nothing to wait on: monoio wakes no one for an operation that was dropped.
const QUIESCE_STEP_MS: u64 = 1;

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
    type Port = MonoioPort<RingWait>;

    fn new(signal: &Arc<EventFd>, ring_entries: u32) -> io::Result<IoUring> {
        let (runtime, ring) = ring::find(|| {
            RuntimeBuilder::<IoUringDriver>::new().with_entries(ring_entries).enable_timer().build()
        })?;
        Ok(IoUring { runtime, ring, signal: Arc::clone(signal) })
    }

    fn run<F: Future>(&mut self, make_loop: impl FnOnce(Self::Port) -> F) -> io::Result<F::Output> {
        let (signal, ring) = (&self.signal, self.ring);
        self.runtime.block_on(async move {
            let port = MonoioPort::open(RingWait::open(signal)?, ring).await;
            Ok(make_loop(port).await)
        })
    }

    fn dispose(self, quiet: bool) {
        if !quiet {
            std::mem::forget(self.runtime);
        }
    }
}

impl Driver for Epoll {
    type Port = MonoioPort<EpollWait>;

    fn new(signal: &Arc<EventFd>, ring_entries: u32) -> io::Result<Epoll> {
        let runtime =
            RuntimeBuilder::<LegacyDriver>::new().with_entries(ring_entries).enable_timer().build()?;
        Ok(Epoll { runtime, signal: Arc::clone(signal) })
    }

    fn run<F: Future>(&mut self, make_loop: impl FnOnce(Self::Port) -> F) -> io::Result<F::Output> {
        let signal = &self.signal;
        self.runtime.block_on(async move {
            let port = MonoioPort::open(EpollWait::open(signal)?, None).await;
            Ok(make_loop(port).await)
        })
    }

    fn dispose(self, _quiet: bool) {
        // epoll has no operations in the kernel: a file is read by a call that has returned.
    }
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

/// The port of either driver.
pub(crate) struct MonoioPort<W> {
    wait: W,
    /// The ring, and how many operations the runtime itself keeps in it, jobs or no jobs (with `sync`, the read of its
    /// eventfd). `None` on epoll, and where the kernel does not tell.
    ring: Option<(Ring, u32)>,
    /// A wait under way. It stays armed over any number of polls, so one operation serves until the next signal.
    signalled: Option<Step>,
    turning: Option<Step>,
    /// The timer of the last deadline that was asked for.
    timer: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl<W: Wait> MonoioPort<W> {
    async fn open(wait: W, ring: Option<Ring>) -> MonoioPort<W> {
        // Ended by the driver's first turn, in which the runtime puts its own operations in place.
        wait.turn().await;
        let ring = ring.and_then(|ring| Some((ring, ring.in_flight()?)));
        MonoioPort { wait, ring, signalled: None, turning: None, timer: None }
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if self.timer.as_ref().is_none_or(|(at, _)| *at != deadline) {
            self.timer = Some((deadline, Box::pin(sleep_until(::monoio::time::Instant::from_std(deadline)))));
        }
        self.timer.as_mut().map_or(Poll::Pending, |(_, timer)| timer.as_mut().poll(cx))
    }
}

impl<W: Wait> Port for MonoioPort<W> {
    fn poll_wait(&mut self, cx: &mut Context<'_>, deadline: Option<Instant>) -> Poll<()> {
        if deadline.is_some_and(|deadline| self.poll_timer(cx, deadline).is_ready()) {
            return Poll::Ready(());
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
        loop {
            // Ended by the driver's turn. It submits the cancellations that the drops have queued.
            self.wait.turn().await;
            let in_flight = self.ring.and_then(|(ring, own)| Some(ring.in_flight()?.saturating_sub(own)));
            if in_flight.unwrap_or(0) == 0 {
                return true;
            }
            if Instant::now() > give_up {
                return false;
            }
            // Ended by monoio's timer.
            sleep(Duration::from_millis(QUIESCE_STEP_MS)).await;
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
