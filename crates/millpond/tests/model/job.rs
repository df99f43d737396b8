//! The jobs of a case, as closures and futures that keep their trace.

use crate::{
    common::yield_now,
    op::{BlockingBody, Body, ChildWay},
    trace::{Accepted, Alive, Does, Output, Trace},
};
use millpond::JoinHandle;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
};

/// What a job's closure holds until it is called.
pub(crate) struct Job {
    pub(crate) trace: Arc<Trace>,
    alive: Alive,
}

/// A job's future.
pub(crate) struct JobFuture {
    /// Dropped before the guard: a child's handle may be in it.
    body: Pin<Box<dyn Future<Output = ()>>>,
    pub(crate) guard: Option<Guard>,
    trace: Arc<Trace>,
    _alive: Alive,
}

/// Sees where a future is dropped, and panics there if that is what the job does.
pub(crate) struct Guard(Arc<Trace>);

impl Job {
    pub(crate) fn new(trace: &Arc<Trace>) -> Job {
        Job { trace: Arc::clone(trace), alive: Alive::new(trace) }
    }

    /// What is sent to a pool.
    pub(crate) fn closure(self) -> impl FnOnce() -> JobFuture + Send + 'static {
        move || self.call()
    }

    /// Makes the future, as the closure does.
    pub(crate) fn call(self) -> JobFuture {
        self.trace.start();
        if self.trace.does == Does::Task(Body::PanicInClosure) {
            self.trace.throw();
        }
        self.future()
    }

    /// The future of a job that has no closure. It starts with its first poll.
    pub(crate) fn local(self) -> impl Future<Output = Output> {
        Local::Unpolled(Some(self))
    }

    fn future(self) -> JobFuture {
        let Job { trace, alive } = self;
        let guard = Some(Guard(Arc::clone(&trace)));
        JobFuture { body: Box::pin(body(Arc::clone(&trace))), guard, trace, _alive: alive }
    }

    /// What is sent to `spawn_blocking`.
    pub(crate) fn blocking(self) -> impl FnOnce() -> Output + Send + 'static {
        move || {
            // Whole, so that all of it lives as long as the closure.
            let job = self;
            job.trace.start();
            match job.trace.does {
                Does::Blocking(BlockingBody::Panic) => job.trace.throw(),
                Does::Blocking(BlockingBody::Hold) => job.trace.gate.block(),
                _ => {}
            }
            job.trace.end();
            output(&job.trace)
        }
    }
}

/// What the job gives back.
pub(crate) fn output(trace: &Arc<Trace>) -> Output {
    Output { id: trace.id, _alive: Alive::new(trace) }
}

async fn body(trace: Arc<Trace>) {
    let children: Vec<_> =
        trace.children.iter().map(|(way, child)| (child, send_child(*way, child))).collect();
    match trace.does {
        Does::Task(Body::Yield(times)) => {
            for _ in 0..times {
                // Ready at its next poll.
                yield_now().await;
            }
        }
        Does::Task(Body::PanicInFuture) => trace.throw(),
        // Ended by `release`, which the test calls for every job before it waits for any.
        Does::Task(Body::Wait) => trace.gate.wait().await,
        Does::Task(Body::Hold) => trace.gate.block(),
        _ => {}
    }
    if trace.awaits_children {
        for (child, handle) in children {
            if let Some(handle) = handle {
                // Ended by the child, or by whoever ends the child.
                child.say(handle.await);
            }
        }
    }
    trace.end();
}

fn send_child(way: ChildWay, child: &Arc<Trace>) -> Option<JoinHandle<Output>> {
    let job = Job::new(child);
    let accepted = |accepted| child.state().accepted = accepted;
    // Before it is sent: the child may have ended when its parent comes to say so.
    accepted(Accepted::Maybe);
    match way {
        ChildWay::Spawn => Some(millpond::spawn(job.closure())),
        ChildWay::Local => Some(millpond::spawn_local(job.local())),
        ChildWay::On(pick) => {
            let pool = millpond::Handle::current();
            let worker = pool.workers()[usize::from(pick) % pool.workers().len()];
            Some(pool.spawn_on(worker, job.closure()).expect("a worker of this pool"))
        }
        ChildWay::TrySpawn => match millpond::Handle::current().try_spawn(job.closure()) {
            Ok(handle) => {
                accepted(Accepted::Yes);
                Some(handle)
            }
            Err(_) => {
                accepted(Accepted::No);
                None
            }
        },
    }
}

impl Future for JobFuture {
    type Output = Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Output> {
        self.trace.touch("polled");
        // Woken as its own waits say.
        self.body.as_mut().poll(cx).map(|()| output(&self.trace))
    }
}

/// A job that starts with a poll. Not an async block: where the drop of what it awaits panics, that leaks the result.
enum Local {
    Unpolled(Option<Job>),
    Started(JobFuture),
}

impl Future for Local {
    type Output = Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Output> {
        loop {
            match &mut *self {
                // Woken as the job's own waits say.
                Local::Started(future) => return Pin::new(future).poll(cx),
                Local::Unpolled(job) => {
                    let job = job.take().expect("a future that panicked is not polled again");
                    *self = Local::Started(job.call());
                }
            }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.touch("dropped");
        if self.0.does == Does::Task(Body::PanicInDrop) && !thread::panicking() {
            self.0.throw();
        }
    }
}
