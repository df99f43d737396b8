//! What other threads send to one loop: jobs that only it may run, and its own tasks that were woken.
//!
//! A stack that is linked through the tasks themselves, so a push never allocates and never blocks. A task is in at most
//! one queue at a time (its `NOTIFIED` bit), so one link is enough. The owner takes the whole stack at once and turns it
//! round: senders are served in order.
//!
//! It closes in two steps. A drain closes it to jobs, while the tasks that run go on being woken; the end of the loop
//! closes it for good, with a mark in the place of the head.

use crate::{
    metrics::Entrance,
    sync::{AtomicPtr, Mutex, lock},
    task::{Header, Task},
};
use std::{
    collections::VecDeque,
    ptr::{NonNull, null_mut},
    sync::atomic::Ordering::{AcqRel, Acquire, Relaxed},
};

/// One loop's inbox.
pub(crate) struct Inbox {
    /// The task that came last, or the mark of a closed inbox. Any thread pushes, the owner takes.
    head: AtomicPtr<Header>,
    jobs: Mutex<Jobs>,
}

/// The way in of jobs.
struct Jobs {
    /// Whether they get in. The one that shuts the pool down clears it, once.
    open: bool,
    entrance: Entrance,
}

/// Stands for an inbox that is closed for good. Odd, so no task has this address.
fn closed() -> *mut Header {
    std::ptr::without_provenance_mut(1)
}

impl Inbox {
    pub(crate) fn new() -> Inbox {
        let jobs = Jobs { open: true, entrance: Entrance::new() };
        Inbox { head: AtomicPtr::new(null_mut()), jobs: Mutex::new(jobs) }
    }

    /// Sends a job that has not started. The job comes back from an inbox that takes no more of them.
    pub(crate) fn push_job(&self, job: Task, eager: bool) -> Result<(), Task> {
        // Held over the push, so that after `close_to_jobs` none is on its way. Jobs for one worker are the rare case;
        // wakes do not come here.
        let mut jobs = lock(&self.jobs);
        if !jobs.open {
            return Err(job);
        }
        jobs.entrance.admit(&job, eager);
        // A loop that has ended takes none either, and has closed this before.
        self.push(job)
    }

    /// Jobs that got in so far.
    pub(crate) fn accepted_jobs(&self) -> u64 {
        lock(&self.jobs).entrance.accepted()
    }

    /// Sends a started task to be run. It comes back when the loop has ended: all its tasks are over then.
    pub(crate) fn push(&self, task: Task) -> Result<(), Task> {
        let header = task.into_header();
        let mut head = self.head.load(Acquire);
        loop {
            if head == closed() {
                // SAFETY: the reference that `into_header` gave out, taken back.
                return Err(unsafe { Task::from_header(header) });
            }
            // SAFETY: the reference in our hands keeps the cell alive, and as the one that `NOTIFIED` speaks of it owns
            // the link.
            unsafe { header.as_ref() }.next.store(head, Relaxed);
            // Release: the owner that takes the task sees all that came before its wake.
            match self.head.compare_exchange_weak(head, header.as_ptr(), AcqRel, Acquire) {
                Ok(_) => return Ok(()),
                Err(now) => head = now,
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        let head = self.head.load(Acquire);
        head.is_null() || head == closed()
    }

    /// Takes all that is there, in the order of its coming. Only the owner calls it.
    pub(crate) fn take(&self) -> VecDeque<Task> {
        unlink(self.head.swap(null_mut(), AcqRel))
    }

    /// From now on no job gets in; wakes do.
    pub(crate) fn close_to_jobs(&self) {
        lock(&self.jobs).open = false;
    }

    /// From now on nothing gets in. What is there comes back. Only the owner calls it, once.
    pub(crate) fn close(&self) -> VecDeque<Task> {
        self.close_to_jobs();
        unlink(self.head.swap(closed(), AcqRel))
    }
}

/// Turns a stack that was taken off its head into a queue.
fn unlink(mut head: *mut Header) -> VecDeque<Task> {
    let mut tasks = VecDeque::new();
    while let Some(header) = NonNull::new(head).filter(|_| head != closed()) {
        // SAFETY: what was pushed holds a reference, which passes to the task made here; the link is ours with it.
        head = unsafe { header.as_ref() }.next.load(Relaxed);
        // SAFETY: as above.
        tasks.push_front(unsafe { Task::from_header(header) });
    }
    tasks
}

impl Drop for Inbox {
    /// A loop that ran has closed it. One that never came up leaves jobs, whose handles are answered here.
    fn drop(&mut self) {
        for task in self.close() {
            task.never_start();
        }
    }
}
