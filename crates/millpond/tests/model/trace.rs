//! What a case sees of each job: written where the job runs, read by the checks.

use crate::op::{BlockingBody, Body, ChildWay};
use millpond::JoinError;
use std::{
    collections::HashMap,
    future::poll_fn,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Poll, Waker},
    thread::{self, ThreadId},
};

/// What the jobs of one case share.
#[derive(Default)]
pub(crate) struct World {
    /// The next place in the order of all starts.
    starts: AtomicUsize,
    /// The one thread of each worker.
    threads: Mutex<HashMap<usize, ThreadId>>,
    /// Woken at each start of a job and at each drop of what a job is made of. The lock is held for the notice alone.
    changed: (Mutex<()>, Condvar),
}

/// One job, sent or to be sent.
pub(crate) struct Trace {
    pub(crate) id: usize,
    pub(crate) role: Role,
    pub(crate) does: Does,
    pub(crate) children: Vec<(ChildWay, Arc<Trace>)>,
    pub(crate) awaits_children: bool,
    pub(crate) gate: Gate,
    /// Closures, futures and results of this job that have not been dropped.
    alive: AtomicUsize,
    state: Mutex<State>,
    world: Arc<World>,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Does {
    Task(Body),
    Blocking(BlockingBody),
}

/// Where a job may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Any worker.
    Shared,
    /// This worker.
    On(usize),
    /// The worker of this key.
    Key(u8),
    /// The thread of its parent.
    Local,
    /// The thread of the test itself, in a `block_on`.
    BlockOn,
    /// A thread of `spawn_blocking`.
    Blocking,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) accepted: Accepted,
    pub(crate) abort_called: bool,
    pub(crate) starts: usize,
    /// Its place in the order of all starts.
    pub(crate) order: usize,
    pub(crate) thread: Option<ThreadId>,
    pub(crate) worker: Option<usize>,
    /// How often the body came to its end.
    pub(crate) ends: usize,
    /// It panicked on purpose, in its closure, its future or its drop.
    pub(crate) threw: bool,
    /// What its handle said.
    pub(crate) said: Option<Said>,
    /// What must not be, seen where it happened.
    pub(crate) wrong: Vec<String>,
}

/// Whether the pool took a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Accepted {
    #[default]
    NotSent,
    /// Sent by a job whose pool may have been ending.
    Maybe,
    Yes,
    No,
}

/// What a handle resolved to, and the worker that its error names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    Value(usize),
    Panicked(Option<usize>, Option<usize>),
    Aborted(Option<usize>),
    Shutdown(Option<usize>),
    Other,
}

/// Lets a job go on.
#[derive(Default)]
pub(crate) struct Gate {
    inner: Mutex<GateState>,
    released: Condvar,
}

#[derive(Default)]
struct GateState {
    released: bool,
    /// Kept beyond the job's end: a waker may be kept for ever.
    wakers: Vec<Waker>,
}

/// Counts a part of a job while it lives.
pub(crate) struct Alive(Arc<Trace>);

/// What a job gives back.
pub(crate) struct Output {
    pub(crate) id: usize,
    pub(crate) _alive: Alive,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A job that panics on purpose holds none of these locks; a check that fails may.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// Waits until `condition` holds. Ended by the notice of the start or drop that makes it true: it is looked at under
    /// the lock of the notice. A condition that never holds ends with the limit of the whole case.
    pub(crate) fn wait_until(&self, condition: impl Fn() -> bool) {
        let mut held = lock(&self.changed.0);
        while !condition() {
            held = self.changed.1.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn notice(&self) {
        drop(lock(&self.changed.0));
        self.changed.1.notify_all();
    }
}

impl Trace {
    pub(crate) fn new(
        world: &Arc<World>,
        id: usize,
        role: Role,
        does: Does,
        children: Vec<(ChildWay, Arc<Trace>)>,
        awaits_children: bool,
    ) -> Arc<Trace> {
        Arc::new(Trace {
            id,
            role,
            does,
            children,
            awaits_children,
            gate: Gate::default(),
            alive: AtomicUsize::new(0),
            state: Mutex::default(),
            world: Arc::clone(world),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn has_started(&self) -> bool {
        self.state().starts > 0
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.load(SeqCst) > 0
    }

    /// It has started on this worker and holds it up.
    pub(crate) fn holds(&self, worker: usize) -> bool {
        let holding = self.does == Does::Task(Body::Hold) && !self.gate.is_released();
        holding && self.state().worker == Some(worker)
    }

    pub(crate) fn wrong(&self, what: impl Into<String>) {
        self.state().wrong.push(what.into());
    }

    /// The closure is called, or the future of a `spawn_local` first polled.
    pub(crate) fn start(&self) {
        let here = thread::current().id();
        let worker = match self.role {
            Role::BlockOn | Role::Blocking => None,
            _ => Some(millpond::worker_id().index()),
        };
        if let Some(worker) = worker {
            if *lock(&self.world.threads).entry(worker).or_insert(here) != here {
                self.wrong(format!("worker {worker} is more than one thread"));
            }
        }
        let mut state = self.state();
        state.starts += 1;
        state.order = self.world.starts.fetch_add(1, SeqCst);
        state.thread = Some(here);
        state.worker = worker;
        drop(state);
        self.world.notice();
    }

    /// The job is touched: by a poll or by the drop of its future.
    pub(crate) fn touch(&self, how: &str) {
        let here = thread::current().id();
        if self.state().thread != Some(here) {
            self.wrong(format!("{how} on another thread than the one that made it"));
        }
    }

    /// The body has come to its end.
    pub(crate) fn end(&self) {
        self.state().ends += 1;
    }

    /// Panics with the job's number, and without the panic hook's words.
    pub(crate) fn throw(&self) -> ! {
        self.state().threw = true;
        std::panic::resume_unwind(Box::new(self.id))
    }

    /// The job's handle has resolved.
    pub(crate) fn say(&self, result: Result<Output, JoinError>) {
        let said = match result {
            Ok(output) => Said::Value(output.id),
            Err(error) => Said::error(error),
        };
        if self.state().said.replace(said).is_some() {
            self.wrong("its handle resolved twice");
        }
    }
}

impl Said {
    fn error(error: JoinError) -> Said {
        let worker = error.worker().map(millpond::WorkerId::index);
        if error.is_aborted() {
            Said::Aborted(worker)
        } else if error.is_shutdown() {
            Said::Shutdown(worker)
        } else if error.is_panic() {
            Said::Panicked(error.into_panic().downcast_ref().copied(), worker)
        } else {
            Said::Other
        }
    }
}

impl Gate {
    pub(crate) fn is_released(&self) -> bool {
        lock(&self.inner).released
    }

    pub(crate) fn release(&self) {
        lock(&self.inner).released = true;
        self.released.notify_all();
        self.wake();
    }

    /// Wakes whoever waits or has waited here, released or not.
    pub(crate) fn wake(&self) {
        let wakers = lock(&self.inner).wakers.clone();
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(crate) async fn wait(&self) {
        // Woken by `release`, which sets the mark before it takes the wakers, both under the lock.
        poll_fn(|cx| {
            let mut inner = lock(&self.inner);
            if inner.released {
                return Poll::Ready(());
            }
            if !inner.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
                inner.wakers.push(cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    /// Blocks this thread until `release`, which each case calls for all its jobs before it ends.
    pub(crate) fn block(&self) {
        let mut inner = lock(&self.inner);
        while !inner.released {
            inner = self.released.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Alive {
    pub(crate) fn new(trace: &Arc<Trace>) -> Alive {
        trace.alive.fetch_add(1, SeqCst);
        Alive(Arc::clone(trace))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, SeqCst);
        self.0.world.notice();
    }
}
