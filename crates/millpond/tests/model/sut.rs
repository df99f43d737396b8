//! The pool under test, and what a pool could do wrong: each fault is one that the checks must catch.

use crate::{
    common::yield_now,
    job::{Guard, Job, JobFuture},
    op::Way,
    trace::{Output, Trace},
};
use millpond::{AbortHandle, Builder, Handle, JoinHandle, Pool, Receipt, TrySpawnError};
use std::{
    future::{poll_fn, ready},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    thread,
};

/// What is wrong with a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    RunsTwice,
    Loses,
    RunsWhatWasAborted,
    ForgetsKeys,
    ReordersKeys,
    IsFullTooSoon,
    IsNeverFull,
    ServesLateComersFirst,
    ChangesValues,
    KeepsFutures,
    DropsElsewhere,
    Miscounts,
}

/// The pool's handle, with a fault or without.
pub(crate) struct Sut {
    pub(crate) handle: Handle,
    fault: Fault,
    /// Counts sends by key, for the faults that need to tell one from the next.
    keyed: Arc<AtomicUsize>,
}

pub(crate) enum Refused {
    Full,
    Closed,
}

type Sent = Result<JoinHandle<Output>, Refused>;
pub(crate) type Submit = Pin<Box<dyn Future<Output = Sent>>>;

impl Sut {
    pub(crate) fn start(builder: Builder, fault: Fault) -> (Pool, Sut) {
        let pool = builder.build().expect("a pool starts");
        let sut = Sut { handle: pool.handle(), fault, keyed: Arc::default() };
        (pool, sut)
    }

    pub(crate) fn send(&self, way: Way, job: Job) -> Sent {
        match way {
            Way::Spawn => Ok(self.spawn(job)),
            Way::TrySpawn => self.try_spawn(job, false),
            Way::TrySpawnOrSpawn => self.try_spawn(job, true),
            Way::On(pick) => Ok(self.spawn_on(usize::from(pick) % self.handle.workers().len(), job)),
            Way::Key(key) => Ok(self.spawn_by_key(key, job)),
        }
    }

    fn spawn(&self, job: Job) -> JoinHandle<Output> {
        match self.fault {
            Fault::RunsTwice => {
                drop(self.handle.spawn(Job::new(&job.trace).closure()));
                self.handle.spawn(job.closure())
            }
            Fault::Loses => {
                let output = crate::job::output(&job.trace);
                self.handle.spawn(|| ready(output))
            }
            Fault::ChangesValues => self.handle.spawn(|| async {
                let output = job.call().await;
                Output { id: output.id + 1, ..output }
            }),
            Fault::KeepsFutures => self.handle.spawn(|| {
                std::mem::forget(Job::new(&job.trace));
                job.call()
            }),
            Fault::DropsElsewhere => self.handle.spawn(|| dropped_elsewhere(job)),
            _ => self.handle.spawn(job.closure()),
        }
    }

    fn try_spawn(&self, job: Job, or_spawn: bool) -> Sent {
        if self.fault == Fault::IsFullTooSoon {
            return Err(Refused::Full);
        }
        match self.handle.try_spawn(job.closure()) {
            Ok(handle) => Ok(handle),
            Err(TrySpawnError::Full(closure)) if or_spawn || self.fault == Fault::IsNeverFull => {
                Ok(self.handle.spawn(closure))
            }
            Err(TrySpawnError::Full(_)) => Err(Refused::Full),
            Err(TrySpawnError::Closed(_)) => Err(Refused::Closed),
        }
    }

    pub(crate) fn submit(&self, job: Job) -> Submit {
        let handle = self.handle.clone();
        if self.fault == Fault::ServesLateComersFirst {
            return Box::pin(retry(handle, job));
        }
        // Served in its turn, or refused when the pool ends: the case polls it again after each.
        Box::pin(async move { handle.submit(job.closure()).await.map_err(|_| Refused::Closed) })
    }

    pub(crate) fn spawn_on(&self, worker: usize, job: Job) -> JoinHandle<Output> {
        self.handle.spawn_on(self.handle.workers()[worker], job.closure()).expect("a worker of this pool")
    }

    fn spawn_by_key(&self, key: u8, job: Job) -> JoinHandle<Output> {
        let turn = self.keyed.fetch_add(1, SeqCst);
        match self.fault {
            Fault::ForgetsKeys => self.spawn_on(turn % self.handle.workers().len(), job),
            // Every other job lets the next one go first, if it comes soon.
            Fault::ReordersKeys if turn % 2 == 0 => {
                let keyed = Arc::clone(&self.keyed);
                self.handle.spawn_by_key(&key, move || async move {
                    for _ in 0..1_000 {
                        yield_now().await;
                        if keyed.load(SeqCst) > turn + 1 {
                            break;
                        }
                    }
                    yield_now().await;
                    job.call().await
                })
            }
            _ => self.handle.spawn_by_key(&key, job.closure()),
        }
    }

    pub(crate) fn blocking(&self, job: Job) -> JoinHandle<Output> {
        self.handle.spawn_blocking(job.blocking())
    }

    pub(crate) fn abort(&self, handle: &AbortHandle, trace: &Arc<Trace>) {
        handle.abort();
        if self.fault == Fault::RunsWhatWasAborted && !trace.has_started() {
            drop(self.handle.spawn(Job::new(trace).closure()));
        }
    }

    pub(crate) fn receipt(&self, mut receipt: Receipt) -> Receipt {
        if self.fault == Fault::Miscounts {
            receipt.completed += 1;
        }
        receipt
    }
}

/// Runs a job and has another thread drop what sees its drop.
async fn dropped_elsewhere(job: Job) -> Output {
    let mut future: JobFuture = job.call();
    let output = poll_fn(|cx| Pin::new(&mut future).poll(cx)).await;
    let guard: Option<Guard> = future.guard.take();
    thread::spawn(|| drop(guard)).join().expect("nothing panics there but on purpose");
    output
}

/// A `submit` that does not queue: whoever polls first after a place came free has it.
async fn retry(handle: Handle, job: Job) -> Sent {
    let mut closure = Some(job.closure());
    poll_fn(|_| match handle.try_spawn(closure.take().expect("it came back")) {
        Ok(handle) => Poll::Ready(Ok(handle)),
        Err(TrySpawnError::Closed(_)) => Poll::Ready(Err(Refused::Closed)),
        Err(TrySpawnError::Full(back)) => {
            closure = Some(back);
            Poll::Pending
        }
    })
    .await
}
