//! Which driver a pool is told to use, which one it then has, and the one place that goes by it.

use crate::{BuildError, limits};
use std::{
    io::{Write, stderr},
    sync::Once,
};

/// The runtime underneath each worker.
///
/// ```
/// use millpond::{Driver, DriverKind, Pool};
///
/// # fn main() -> Result<(), millpond::BuildError> {
/// let pool = Pool::builder().worker_threads(1).driver(Driver::Epoll).build()?;
/// assert_eq!(pool.driver(), DriverKind::Epoll);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Driver {
    /// io_uring, or epoll where the machine refuses io_uring; stderr then says so, once in the life of the process.
    #[default]
    Auto,
    /// io_uring, or an error.
    IoUring,
    /// epoll. Files are then read and written by calls that block the worker.
    Epoll,
    /// No I/O: a worker without work parks its thread, and files, sockets and timers of monoio panic in its jobs. Channels,
    /// handles, blocking closures and the timers of [`time`](crate::time) work as on the others.
    ///
    /// For work that only computes, where rings would be in the way; and for Miri and model checkers. With
    /// [`Pin::None`](crate::Pin::None) and a number of workers given, the pool makes no system call of its own, only
    /// those of `std`'s threads and locks; but for the watch for stalls, which asks for threads' numbers, and on suspicion
    /// reads files of `/proc` by them, unless [`stall_threshold`](crate::Builder::stall_threshold) turns it off.
    Park,
}

/// Which runtime a pool's workers run on.
/// See [`Pool::driver`](crate::Pool::driver).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DriverKind {
    /// monoio on io_uring.
    IoUring,
    /// monoio on epoll, for kernels and containers that refuse io_uring. Files are read and written on the worker's
    /// thread, blocking it.
    Epoll,
    /// Parked threads, without I/O.
    Park,
}

/// Evaluates an expression with `$D` standing for the type of the driver that a [`DriverKind`] names.
macro_rules! on_driver {
    ($kind:expr, $D:ident => $then:expr) => {
        match $kind {
            $crate::driver::DriverKind::IoUring => {
                type $D = $crate::driver::IoUring;
                $then
            }
            $crate::driver::DriverKind::Epoll => {
                type $D = $crate::driver::Epoll;
                $then
            }
            $crate::driver::DriverKind::Park => {
                type $D = $crate::driver::Park;
                $then
            }
        }
    };
}
pub(crate) use on_driver;

impl Driver {
    /// False: threads and locks are all that it asks of the machine.
    pub(crate) fn has_io(self) -> bool {
        self != Driver::Park
    }

    /// Starts a pool on the driver that this stands for, which the machine has a say in.
    pub(crate) fn start<T>(
        self,
        ring_entries: u32,
        start: impl Fn(DriverKind) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let on_io_uring = || {
            // Asked before any thread starts: a refusal that all workers would meet is met once, and its cause is told.
            limits::probe_io_uring(ring_entries).map_err(BuildError::io_uring)?;
            start(DriverKind::IoUring)
        };
        match self {
            Driver::IoUring => on_io_uring(),
            Driver::Epoll => start(DriverKind::Epoll),
            Driver::Park => start(DriverKind::Park),
            Driver::Auto => match on_io_uring() {
                Err(error) if error.is_ring_refused() => {
                    say_once_that_it_is_epoll(&error);
                    start(DriverKind::Epoll)
                }
                started => started,
            },
        }
    }
}

/// A pool that is slower at files than its user expects should not be a riddle; one line for a process is enough.
fn say_once_that_it_is_epoll(error: &BuildError) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        // Where it cannot be written, the pool starts all the same.
        let _ = writeln!(stderr(), "millpond: falling back to epoll: {}", error.cause());
    });
}
