//! Sketches on `async-task`, the executor's building block of smol: what its task cell costs, with as little around it
//! as can be.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::Poll;
use std::time::Duration;

use async_task::{Runnable, Task};
use futures_lite::future::block_on;

use crate::affinity::spawn_bound;
use crate::contender::Contender;
use crate::measure::Case;
use crate::pool::Pool;
use crate::workloads::local::{self, Local};

pub(crate) fn contenders() -> Vec<Contender> {
    vec![
        Contender::named("async-task")
            .pool::<Sketch>()
            .without("spread")
            .without("skew-io")
            .workload("local", |case: Case| block_on(run_beside(local::drive(OnThisThread, case)))),
    ]
}

/// Threads that take tasks in batches from one queue under a lock. No ring, no timers, no way to hold them up.
#[derive(Clone, Debug)]
struct Sketch(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Runnable>,
    sleepers: usize,
    closed: bool,
}

/// As many as the queue holds, shared out; more would leave a worker without.
const BATCH_TASKS: usize = 64;

impl Shared {
    fn push(&self, task: Runnable) {
        let mut state = self.state.lock().expect("nothing panics under the lock");
        state.queue.push_back(task);
        let sleeps = state.sleepers > 0;
        drop(state);
        if sleeps {
            self.work.notify_one();
        }
    }

    fn work(&self, workers: usize) {
        let mut batch = Vec::with_capacity(BATCH_TASKS);
        while self.take(&mut batch, workers) {
            for task in batch.drain(..) {
                task.run();
            }
        }
    }

    /// False once the queue is closed and empty.
    fn take(&self, batch: &mut Vec<Runnable>, workers: usize) -> bool {
        let mut state = self.state.lock().expect("nothing panics under the lock");
        while state.queue.is_empty() {
            if state.closed {
                return false;
            }
            state.sleepers += 1;
            // Ended by a push or by the close, which come under this lock.
            state = self.work.wait(state).expect("nothing panics under the lock");
            state.sleepers -= 1;
        }
        let share = state.queue.len().div_ceil(workers).min(BATCH_TASKS);
        batch.extend(state.queue.drain(..share));
        true
    }

    fn close(&self) {
        self.state.lock().expect("nothing panics under the lock").closed = true;
        self.work.notify_all();
    }
}

impl Pool for Sketch {
    type Handle<T: Send + 'static> = Task<T>;

    fn drive<R, Fut, D>(workers: usize, driver: D) -> R
    where
        D: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = R> + Send + 'static,
        R: Send + 'static,
    {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let threads = spawn_bound(workers, move |_| theirs.work(workers));
        let result = block_on(driver(Sketch(Arc::clone(&shared))));
        shared.close();
        threads.into_iter().for_each(|thread| thread.join().expect("the worker ends"));
        result
    }

    fn spawn<T, F>(&self, job: F) -> Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let shared = Arc::clone(&self.0);
        let (task, handle) = async_task::spawn(async move { job() }, move |task| shared.push(task));
        task.schedule();
        handle
    }

    fn detach<F: FnOnce() + Send + 'static>(&self, job: F) {
        // A drop of the handle would cancel the job.
        self.spawn(job).detach();
    }

    fn spawn_after<T, F>(&self, _: Duration, _: F) -> Task<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        unreachable!("the sketch has no timers, and takes no part in what needs them")
    }

    async fn join<T: Send + 'static>(handle: Task<T>) -> T {
        handle.await
    }
}

thread_local! {
    /// The run queue of one thread. Found by the thread: a task's schedule function must be `Send`, or unsafe.
    static QUEUE: RefCell<VecDeque<Runnable>> = RefCell::default();
}

#[derive(Debug)]
struct OnThisThread;

impl Local for OnThisThread {
    type Handle = Task<u64>;

    fn spawn(&self, future: impl Future<Output = u64> + 'static) -> Task<u64> {
        let schedule = |task| QUEUE.with_borrow_mut(|queue| queue.push_back(task));
        let (task, handle) = async_task::spawn_local(future, schedule);
        task.schedule();
        handle
    }

    fn output(output: u64) -> u64 {
        output
    }
}

/// Polls `driver`, and between its polls runs what is queued.
async fn run_beside<T>(driver: impl Future<Output = T>) -> T {
    let mut driver = pin!(driver);
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(output) = driver.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            let mut ran = false;
            // In two steps: a task that runs may queue others.
            while let Some(task) = QUEUE.with_borrow_mut(VecDeque::pop_front) {
                task.run();
                ran = true;
            }
            if !ran {
                return Poll::Pending;
            }
        }
    })
    .await
}
