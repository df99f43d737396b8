//! Closures that block or compute, on threads of their own.
//!
//! The threads are the `blocking` crate's: shared by the process, grown by need, gone when idle. A closure is a job like
//! any other, so its handle, its panic and its place in the receipt are a job's. The one difference is at a cut-off: a
//! closure that runs cannot be stopped, so its handle is answered without it.

use crate::{
    JoinHandle, Receipt, context, cpus,
    metrics::JobCounts,
    shared::Shared,
    shrink,
    sync::{
        now,
        unmodelled::{Mutex, MutexGuard, lock},
    },
    task::{Origin, Task},
    trace::Span,
};
use slab::Slab;
use std::{
    cell::Cell,
    future::ready,
    sync::{
        Arc,
        atomic::{
            AtomicU64, AtomicUsize,
            Ordering::{AcqRel, Acquire, Relaxed, SeqCst},
            fence,
        },
    },
    time::Instant,
};

/// The blocking closures of one pool.
pub(crate) struct Blocking {
    inner: Mutex<Inner>,
    /// Entries of the table, for a drain's look without the lock.
    live: AtomicUsize,
    /// Closures that have started so far. Each counts itself, after its acceptance and before its end, which are counted under
    /// the lock.
    started: AtomicU64,
}

struct Inner {
    /// A pool that ends takes no more closures.
    closed: bool,
    /// Closures that got in so far.
    accepted: u64,
    /// Closures that have not been counted. Whoever takes one out counts it.
    tasks: Slab<Task>,
    ended: Receipt,
}

impl Blocking {
    pub(crate) fn new() -> Blocking {
        let inner = Inner { closed: false, accepted: 0, tasks: Slab::new(), ended: Receipt::default() };
        Blocking { inner: Mutex::new(inner), live: AtomicUsize::new(0), started: AtomicU64::new(0) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live.load(Acquire) == 0
    }

    /// From now on no closure is accepted.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    /// Answers the handles of all that is not over, and says how each closure of the pool ended. Waits for none.
    pub(crate) fn cut_off(&self) -> Receipt {
        let tasks = {
            let mut inner = self.lock();
            inner.closed = true;
            std::mem::take(&mut inner.tasks)
        };
        // Out of the table, they are this thread's to count. Outside the lock, because to end a task is to wake foreign
        // wakers and to drop a closure.
        let mut cut = Receipt::default();
        for (_, task) in tasks {
            if let Some(outcome) = task.never_start() {
                cut.count_unstarted(Some(outcome));
            } else if task.give_up() {
                cut.cut_off += 1;
            } else {
                cut.count(task.outcome());
            }
            self.live.fetch_sub(1, AcqRel);
        }
        let mut inner = self.lock();
        inner.ended += cut;
        inner.ended
    }

    /// What has become of the closures so far.
    pub(crate) fn counts(&self) -> JobCounts {
        // With the lock come the starts of all that has ended, and the acceptance of all that starts after it has been let go.
        // One that a cut-off has given up may be about to count its start: it is no task.
        let inner = self.lock();
        let Receipt { completed, panicked, cut_off, .. } = inner.ended;
        let left = inner.accepted - inner.ended.accepted();
        let started = self.started.load(Relaxed);
        let tasks = started.saturating_sub(completed + panicked + cut_off).min(left);
        JobCounts::of_blocking(inner.accepted, left - tasks, tasks, inner.ended)
    }

    fn insert(&self, task: &Task) -> Option<usize> {
        let mut inner = self.lock();
        if inner.closed {
            return None;
        }
        self.live.fetch_add(1, AcqRel);
        inner.accepted += 1;
        Some(inner.tasks.insert(task.clone_reference()))
    }

    /// Takes a closure that is over out of the table and counts it, unless a cut-off has done so.
    fn count(&self, slot: usize, task: &Task) {
        let mut inner = self.lock();
        // After a cut-off the table is empty, and stays so.
        if inner.tasks.try_remove(slot).is_some() {
            inner.ended.count(task.outcome());
            shrink::emptied_table(&mut inner.tasks);
            self.live.fetch_sub(1, AcqRel);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }
}

/// See [`Handle::spawn_blocking`](crate::Handle::spawn_blocking).
pub(crate) fn spawn<F, T>(
    shared: &Arc<Shared>,
    origin: Origin,
    deadline: Option<Instant>,
    f: F,
) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (task, join) =
        Task::queued(shared.id, origin, Span::of_blocking(origin, size_of::<F>()), move || ready(f()));
    if deadline.is_some() {
        task.note_waiting(|waiting| waiting.deadline = deadline);
    }
    match shared.blocking.insert(&task) {
        Some(slot) => {
            let shared = Arc::clone(shared);
            blocking::unblock(move || run(&shared, &task, slot)).detach();
        }
        None => {
            task.never_start();
        }
    }
    JoinHandle::new(join)
}

/// Runs the closure on the present thread, to its end.
fn run(shared: &Arc<Shared>, task: &Task, slot: usize) {
    leave_the_workers_cpu(shared);
    let deadline = task.take_waiting().deadline;
    if deadline.is_some_and(|deadline| deadline <= now()) {
        task.expire();
    } else if task.start_homeless() {
        shared.blocking.started.fetch_add(1, Relaxed);
        let _entered = context::enter(Arc::clone(shared), None);
        task.clone_reference().first_run();
    }
    let blocking = &shared.blocking;
    blocking.count(slot, task);
    // The workers' loops wait in a drain for the last closure. The fence pairs with the one of the wake that begins the
    // drain: either its workers see the count as it is now, or the phase is seen here.
    fence(SeqCst);
    if blocking.is_empty() && !shared.is_running() {
        shared.wake_all();
    }
}

/// A new thread inherits the CPUs of the one that starts it, and a pinned worker has one. The blocking threads get the
/// pool's, once for each thread and pool.
fn leave_the_workers_cpu(shared: &Shared) {
    thread_local! {
        static FREED_FOR: Cell<Option<u32>> = const { Cell::new(None) };
    }
    if FREED_FOR.replace(Some(shared.id)) == Some(shared.id) {
        return;
    }
    if let Some(allowance) = &shared.allowance {
        // A refusal leaves the thread where it is: slower, not wrong.
        let _ = cpus::pin_current_thread(&allowance.cpus);
    }
}
