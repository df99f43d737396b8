//! One thread's tasks: what is ready, what lives, and how each ends.
//!
//! A worker and a `block_on` each have one. All of it belongs to the one thread; others reach it through its [`Remote`].
//! Whatever way its loop ends, [`CloseOnDrop`] ends what is left here on this thread, so that every handle resolves and no
//! future outlives the thread that may touch it.

use crate::{
    Class, JoinHandle,
    metrics::{Counters, nanos},
    remote::Remote,
    shared::Shared,
    shrink,
    sync::now,
    task::{Origin, Outcome, Run, Task, Waiting},
    trace::Span,
    worker_state::States,
};
use slab::Slab;
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::Future,
    rc::Rc,
    sync::Arc,
    task::Waker,
};

/// The run queue and the table of tasks of one loop.
pub(crate) struct Local {
    shared: Arc<Shared>,
    remote: Arc<Remote>,
    /// Started tasks that were woken, in the order of their wakes.
    ready: RefCell<VecDeque<Task>>,
    /// Jobs for this worker alone that have not started.
    pinned: RefCell<VecDeque<Task>>,
    /// Every started task that is not over. It is what a cut-off ends.
    tasks: RefCell<Slab<Task>>,
    /// The loop takes no more tasks of its own thread: it ends.
    closed: Cell<bool>,
    /// Wakes the loop's future inside the driver, on this thread only.
    loop_waker: RefCell<Option<Waker>>,
    /// The loop is being polled, and will see for itself what becomes ready.
    polling: Cell<bool>,
    /// A worker's, for its jobs. Emptied by the worker after all of those have ended.
    states: States,
}

/// Closes the loop's side when it is dropped, also by a panic or an early return.
pub(crate) struct CloseOnDrop(pub(crate) Rc<Local>);

/// Marks the loop as being polled, while it lives.
pub(crate) struct Polling<'a>(&'a Local);

impl Local {
    pub(crate) fn new(shared: Arc<Shared>, remote: Arc<Remote>) -> Rc<Local> {
        Rc::new(Local {
            shared,
            remote,
            ready: RefCell::default(),
            pinned: RefCell::default(),
            tasks: RefCell::default(),
            closed: Cell::new(false),
            loop_waker: RefCell::default(),
            polling: Cell::new(false),
            states: States::default(),
        })
    }

    pub(crate) fn remote(&self) -> &Arc<Remote> {
        &self.remote
    }

    pub(crate) fn states(&self) -> &States {
        &self.states
    }

    pub(crate) fn counters(&self) -> &Counters {
        &self.remote.counters
    }

    pub(crate) fn is(&self, remote: &Remote) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.remote), remote)
    }

    /// The loop's future begins a poll with this waker.
    pub(crate) fn begin_polling(&self, waker: &Waker) -> Polling<'_> {
        let mut known = self.loop_waker.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
        self.polling.set(true);
        Polling(self)
    }

    /// A task of this loop was woken on this thread.
    pub(crate) fn push_ready(&self, task: Task) {
        self.ready.borrow_mut().push_back(task);
        self.wake_loop();
    }

    /// Has the loop polled again, if the driver is what runs now.
    pub(crate) fn wake_loop(&self) {
        if !self.polling.get() {
            // Cloned: the driver's waker is code that may call back here.
            let waker = self.loop_waker.borrow().clone();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// See [`spawn_local`](crate::spawn_local).
    pub(crate) fn spawn<Fut, T>(&self, origin: Origin, future: Fut) -> JoinHandle<T>
    where
        Fut: Future<Output = T> + 'static,
        T: 'static,
    {
        let span = Span::of_local(origin, size_of::<Fut>(), self.remote.worker());
        let (task, ready, join) = Task::local(self.shared.id, origin, span, Arc::clone(&self.remote), future);
        if self.closed.get() || !self.shared.is_running() {
            task.cut_off();
        } else {
            self.counters().local.add_one();
            self.counters().started.add_one();
            self.insert(task);
            self.push_ready(ready);
        }
        JoinHandle::new(join)
    }

    /// Sorts what came into the inbox: woken tasks to the run queue, new jobs to theirs.
    pub(crate) fn take_inbox(&self) {
        if self.remote.inbox.is_empty() {
            return;
        }
        for task in self.remote.inbox.take() {
            let queue = if task.is_started() { &self.ready } else { &self.pinned };
            queue.borrow_mut().push_back(task);
        }
    }

    pub(crate) fn next_ready(&self) -> Option<Task> {
        let mut ready = self.ready.borrow_mut();
        let task = ready.pop_front();
        shrink::emptied(&mut ready);
        task
    }

    pub(crate) fn next_pinned(&self) -> Option<Task> {
        let job = self.pinned.borrow_mut().pop_front();
        job.inspect(|_| self.counters().pinned.add_one())
    }

    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.borrow().is_empty()
    }

    pub(crate) fn has_pinned(&self) -> bool {
        !self.pinned.borrow().is_empty()
    }

    /// Started tasks that are not over.
    pub(crate) fn live_tasks(&self) -> usize {
        self.tasks.borrow().len()
    }

    /// Runs a woken task once.
    pub(crate) fn run(&self, task: Task) {
        let slot = task.slot();
        self.remote.hints.pass_on_but(task.address());
        self.show(task.origin());
        match task.run() {
            Run::Idle(_) | Run::Gone => {}
            Run::Again(task) => self.ready.borrow_mut().push_back(task),
            Run::Ended(outcome) => self.end(slot, outcome),
        }
    }

    /// Starts a job here and runs it once. One that was called off is counted and let go.
    pub(crate) fn start(&self, job: Task, class: Class) {
        self.remote.hints.pass_on_but(job.address());
        // Before its deadline is looked at too: to drop its closure is a user's code.
        self.show(job.origin());
        let Waiting { stamp, deadline } = job.take_waiting();
        if deadline.is_some_and(|deadline| deadline <= now()) {
            return self.counters().count_end(job.expire());
        }
        if !job.start(&self.remote) {
            return self.counters().count_end(None);
        }
        self.counters().started.add_one();
        if let Some(stamp) = stamp {
            self.counters().queue_waits[class].record(nanos(now()).saturating_sub(stamp.at_ns), stamp.jobs);
        }
        match job.first_run() {
            // The job that ends in its first poll never enters the table.
            Run::Ended(outcome) => self.counters().count_end(Some(outcome)),
            Run::Again(job) => {
                self.ready.borrow_mut().push_back(job.clone_reference());
                self.insert(job);
            }
            Run::Idle(job) => self.insert(job),
            Run::Gone => unreachable!("a job that was just started is not over"),
        }
    }

    /// Shows what is about to run.
    fn show(&self, origin: Origin) {
        if !self.remote.load.set_running(origin) {
            return;
        }
        let time = &self.counters().time;
        if time.is_resting() {
            // What was there to do has come since the loop looked, or had been left to others: see `balance`.
            time.resume(now());
        }
        if self.remote.worker().is_some() {
            self.shared.watch.a_worker_is_up();
        }
    }

    fn insert(&self, task: Task) {
        let mut tasks = self.tasks.borrow_mut();
        let entry = tasks.vacant_entry();
        task.set_slot(entry.key());
        entry.insert(task);
        self.remote.load.set_tasks(tasks.len());
    }

    fn end(&self, slot: usize, outcome: Outcome) {
        let mut tasks = self.tasks.borrow_mut();
        let entry = tasks.remove(slot);
        self.remote.load.set_tasks(tasks.len());
        shrink::emptied_table(&mut tasks);
        drop((tasks, entry));
        self.counters().count_end(Some(outcome));
    }

    /// Ends all that is here: drops each future on this thread and each job that has not started, and closes the inbox.
    /// Again, it does nothing.
    ///
    /// The futures' own drops may wake, abort, or try to spawn: what they wake is gone, what they spawn is refused.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        self.remote.load.set_idle();
        for task in self.remote.inbox.close() {
            let queue = if task.is_started() { &self.ready } else { &self.pinned };
            queue.borrow_mut().push_back(task);
        }
        while let Some(job) = self.next_pinned() {
            self.never_start(&job);
        }
        for class in Class::ALL {
            let backlog = &self.remote.backlogs[class];
            backlog.close();
            while let Some(job) = backlog.pop() {
                // A worker that ends before its pool leaves them to the others.
                if let Err(job) = self.shared.put_back(job, class) {
                    self.never_start(&job);
                }
            }
        }
        // Out of the cell first: the drops below may look in, and find nothing to end twice.
        let tasks = self.tasks.take();
        for (_, task) in tasks {
            if let Some(outcome) = task.cut_off() {
                self.counters().count_end(Some(outcome));
            }
        }
        // References to tasks that are over, every one.
        while let Some(task) = self.next_ready() {
            drop(task);
        }
    }

    /// Counts and ends a job that the shutdown came before.
    pub(crate) fn never_start(&self, job: &Task) {
        self.counters().count_unstarted(job.never_start());
    }
}

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Drop for Polling<'_> {
    fn drop(&mut self) {
        self.0.polling.set(false);
    }
}
