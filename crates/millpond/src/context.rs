//! Which pool and which loop the present thread belongs to.

use crate::{
    Class, Handle, NoPoolError, local::Local, remote::Remote, shared::Shared, sync::thread_local, task::Task,
    worker_id::WorkerId,
};
use std::{cell::RefCell, rc::Rc, sync::Arc};

thread_local! {
    /// Counted, so that whoever looks in can go on to run code of a user's with the cell free.
    static CURRENT: RefCell<Option<Rc<Context>>> = const { RefCell::new(None) };
}

struct Context {
    handle: Handle,
    /// The loop of this thread; `None` on a thread of `spawn_blocking`.
    local: Option<Rc<Local>>,
}

/// While it lives, the thread belongs to a pool. Dropping it restores what was before.
pub(crate) struct Enter {
    before: Option<Rc<Context>>,
}

/// Enters a pool, with the loop that this thread runs, if it runs one.
pub(crate) fn enter(shared: Arc<Shared>, local: Option<Rc<Local>>) -> Enter {
    let context = Rc::new(Context { handle: Handle::new(shared), local });
    Enter { before: CURRENT.with(|current| current.replace(Some(context))) }
}

impl Drop for Enter {
    fn drop(&mut self) {
        // What is dropped here may be a pool's last reference: out of the cell first, in case its drop looks in again.
        let ours = CURRENT.with(|current| current.replace(self.before.take()));
        drop(ours);
    }
}

/// Calls `f` with the present context. `None` outside a pool, and on a thread that is being torn down.
fn with<R>(f: impl FnOnce(&Context) -> R) -> Option<R> {
    let context = CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()?;
    Some(f(&context))
}

/// Calls `f` with a handle to the present pool, without a count of it that other threads see.
pub(crate) fn with_handle<R>(f: impl FnOnce(&Handle) -> R) -> Result<R, NoPoolError> {
    with(|context| f(&context.handle)).ok_or(NoPoolError)
}

pub(crate) fn local() -> Option<Rc<Local>> {
    with(|context| context.local.clone()).flatten()
}

/// Puts a notified task into this thread's run queue, if this thread runs the loop that is its home.
pub(crate) fn push_ready(task: Task) -> Result<(), Task> {
    let mut task = Some(task);
    with(|context| {
        if let Some(local) = &context.local {
            if let Some(task) = task.take_if(|task| task.runs_on(local.remote())) {
                local.push_ready(task);
            }
        }
    });
    task.map_or(Ok(()), Err)
}

/// Puts a job at hand of this thread's worker, if it is one of the pool's and has not too many. Jobs that jobs spawn need
/// no lock that others want.
pub(crate) fn to_backlog(pool: u32, job: Task, class: Class) -> Result<(), Task> {
    let mut job = Some(job);
    with(|context| {
        let Some(local) = &context.local else { return };
        if local.remote().worker().is_some_and(|worker| worker.pool == pool) {
            let eager = context.handle.shared().has_sleeper();
            job = job.take().and_then(|job| local.remote().backlogs[class].push(job, eager).err());
        }
    });
    job.map_or(Ok(()), Err)
}

/// Has this thread's loop polled again, if it is the one that `home` belongs to. False: it is another thread's.
pub(crate) fn wake_loop(home: &Remote) -> bool {
    with(|context| {
        let local = context.local.as_ref().filter(|local| local.is(home));
        local.inspect(|local| local.wake_loop()).is_some()
    })
    .unwrap_or(false)
}

/// A wake has been sent to another loop.
pub(crate) fn count_wake_sent() {
    with(|context| {
        if let Some(local) = &context.local {
            local.counters().wakes_sent.add_one();
        }
    });
}

/// The worker that this thread is.
pub(crate) fn worker_id() -> Option<WorkerId> {
    with(|context| context.local.as_ref().and_then(|local| local.remote().worker())).flatten()
}

/// This thread is a worker of the pool, by its number.
pub(crate) fn on_worker_of(pool: u32) -> bool {
    worker_id().is_some_and(|worker| worker.pool == pool)
}

/// Blocking this thread until `task` is over may block it for ever: it is a worker of the task's pool, or runs the task.
pub(crate) fn would_deadlock(task: &Task) -> bool {
    on_worker_of(task.pool()) || local().is_some_and(|local| task.runs_on(local.remote()))
}
