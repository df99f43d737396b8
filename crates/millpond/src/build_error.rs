//! Why a pool could not be built: the setting, its value, and the way out.

use crate::{
    DriverKind, cpus, limits, limits::IoUringRefusal, panics, worker_id::WorkerId, worker_state::Factory,
};
use std::{any::Any, error::Error, fmt, io, time::Duration};

/// Why a pool could not be built. Nothing of it is left running.
///
/// ```
/// let error = millpond::Pool::builder().worker_threads(0).build().unwrap_err();
/// assert_eq!(error.setting(), Some("worker_threads"));
/// assert!(error.to_string().contains("at least 1"));
/// ```
pub struct BuildError {
    /// The builder's method whose value has to change, or the one nearest to it.
    setting: Option<&'static str>,
    message: String,
    /// io_uring is what was refused, and epoll may do: `Driver::Auto` tries it.
    ring_refused: bool,
    /// The error underneath, where there is one.
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl BuildError {
    pub(crate) fn no_workers() -> BuildError {
        new("worker_threads", "is 0; a pool needs at least 1, and by default has one for each CPU allowed")
    }

    pub(crate) fn too_many_workers(asked: usize, most: u64, set_by: &str) -> BuildError {
        let message = format!(
            "is {asked}, more than the {most} allowed by {set_by}; ask for fewer, or raise the limit"
        );
        new("worker_threads", message)
    }

    pub(crate) fn no_capacity() -> BuildError {
        new("queue_capacity", "is 0, so no job could ever be submitted; give it room for at least 1")
    }

    pub(crate) fn no_tasks() -> BuildError {
        new("max_tasks_per_worker", "is 0, so no job could ever start; allow at least 1")
    }

    pub(crate) fn ring_entries(asked: u32, most: u32) -> BuildError {
        new("ring_entries", format!("is {asked}; io_uring makes rings of 1 to {most} entries"))
    }

    pub(crate) fn thread_name(name: &str) -> BuildError {
        new("thread_name", format!("is {name:?}, which holds a NUL byte; leave that out"))
    }

    pub(crate) fn no_cpus() -> BuildError {
        new("pin", "is Pin::To with no CPU; name at least one, or use Pin::None")
    }

    pub(crate) fn cpu(cpu: usize, allowed: &[usize]) -> BuildError {
        let allowed = cpus::ranges(allowed);
        let message = format!(
            "names CPU {cpu}, which does not exist or is not allowed to this process; it may use {allowed} (its affinity \
             mask: taskset, the cpuset cgroup, docker --cpuset-cpus)"
        );
        new("pin", message)
    }

    pub(crate) fn pin(worker: WorkerId, cpus: &[usize], error: io::Error) -> BuildError {
        new("pin", format!("has CPU {} for {worker}, and the kernel refused it: {error}", cpus::ranges(cpus)))
            .caused_by(error)
    }

    /// A ring was asked for before any worker was, and refused.
    pub(crate) fn io_uring(refusal: IoUringRefusal) -> BuildError {
        let setting = if let IoUringRefusal::Entries(_) = refusal { "ring_entries" } else { "driver" };
        let message =
            format!("asks for io_uring: {refusal}; Driver::Auto falls back to epoll where that may help");
        BuildError { ring_refused: may_epoll_help(&refusal), ..new(setting, message) }
    }

    /// A worker's runtime could not be made.
    pub(crate) fn driver(
        worker: WorkerId,
        kind: DriverKind,
        ring_entries: u32,
        error: io::Error,
    ) -> BuildError {
        let refusal = limits::why_refused(error, ring_entries);
        let message = format!("{kind:?} could not start on {worker}: {refusal}");
        let ring_refused = kind == DriverKind::IoUring && may_epoll_help(&refusal);
        BuildError { ring_refused, ..new("driver", message) }
    }

    /// There is no descriptor to wake a worker by.
    pub(crate) fn signal(asked: usize, worker: usize, error: io::Error) -> BuildError {
        let refusal = limits::why_refused(error, 0);
        new("worker_threads", format!("is {asked}, and worker {worker} has no eventfd: {refusal}"))
    }

    pub(crate) fn thread(asked: usize, worker: usize, error: io::Error) -> BuildError {
        let limit = limits::threads_allowed();
        let message = format!(
            "is {asked}, and the thread of worker {worker} could not start ({error}); threads are limited to {} by {}, \
             memory by the cgroup: ask for fewer, or raise the limit",
            limits::number(Some(limit.count)),
            limit.set_by
        );
        new("worker_threads", message).caused_by(error)
    }

    pub(crate) fn stall_threshold(asked: Duration, least: Duration) -> BuildError {
        let message = format!(
            "is {asked:?}, and a worker cannot be looked at often enough for less than {least:?}; ask for that or more, or \
             for Duration::MAX, with which nobody looks"
        );
        new("stall_threshold", message)
    }

    /// The thread that looks for stalls.
    pub(crate) fn watch_thread(asked: Duration, error: io::Error) -> BuildError {
        let limit = limits::threads_allowed();
        let message = format!(
            "is {asked:?}, and the thread that watches for stalls could not start ({error}); threads are limited to {} by \
             {}, memory by the cgroup: ask for fewer workers, raise the limit, or set Duration::MAX to do without",
            limits::number(Some(limit.count)),
            limit.set_by
        );
        new("stall_threshold", message).caused_by(error)
    }

    pub(crate) fn hook(worker: WorkerId, error: Box<dyn Error + Send + Sync>) -> BuildError {
        let message =
            format!("failed on {worker}: {error}; the hook has to return Ok(()) for the pool to start");
        BuildError { source: Some(error), ..new("on_worker_start", message) }
    }

    pub(crate) fn hook_panicked(worker: WorkerId, message: &str) -> BuildError {
        let message =
            format!("panicked on {worker}: {message}; the hook has to return Ok(()) for the pool to start");
        new("on_worker_start", message)
    }

    pub(crate) fn state(
        worker: WorkerId,
        factory: &Factory,
        error: Box<dyn Error + Send + Sync>,
    ) -> BuildError {
        let message = format!(
            "of type {} failed on {worker}: {error}; the factory has to return Ok for the pool to start",
            factory.type_name()
        );
        BuildError { source: Some(error), ..new("worker_state", message) }
    }

    pub(crate) fn state_panicked(
        worker: WorkerId,
        factory: &Factory,
        payload: Box<dyn Any + Send>,
    ) -> BuildError {
        let message = format!(
            "of type {} panicked on {worker}: {}; the factory has to return Ok for the pool to start",
            factory.type_name(),
            panics::message(payload)
        );
        new("worker_state", message)
    }

    pub(crate) fn state_twice(factory: &Factory) -> BuildError {
        let message = format!(
            "is given twice for {}, and a worker keeps one value of each type; make a type of your own for one of them",
            factory.type_name()
        );
        new("worker_state", message)
    }

    pub(crate) fn worker_died() -> BuildError {
        BuildError { setting: None, ..new("", "a worker's thread ended before it was up") }
    }

    /// The builder's method whose value has to change, or the one nearest to it.
    pub fn setting(&self) -> Option<&str> {
        self.setting
    }

    /// `Driver::Auto` may try epoll.
    pub(crate) fn is_ring_refused(&self) -> bool {
        self.ring_refused
    }

    /// The setting and what is wrong with it.
    pub(crate) fn cause(&self) -> String {
        match self.setting {
            Some(setting) => format!("{setting} {}", self.message),
            None => self.message.clone(),
        }
    }

    fn caused_by(mut self, error: io::Error) -> BuildError {
        self.source = Some(Box::new(error));
        self
    }
}

fn new(setting: &'static str, message: impl Into<String>) -> BuildError {
    BuildError { setting: Some(setting), message: message.into(), ring_refused: false, source: None }
}

/// epoll needs descriptors too, and a wrong number of entries is the user's to mend.
fn may_epoll_help(refusal: &IoUringRefusal) -> bool {
    !matches!(refusal, IoUringRefusal::FdLimit(_) | IoUringRefusal::Entries(_))
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pool could not be built: {}", self.cause())
    }
}

impl fmt::Debug for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BuildError({self})")
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
