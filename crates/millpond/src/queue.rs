//! The shared queue: jobs that any worker may take, with a capacity for those who ask.
//!
//! `push` never waits and is not held back by the capacity. `try_push_with` and [`Room`] are: there is room while the
//! jobs that wait and the places that are promised together stay below the capacity. A place that comes free while
//! someone waits for room is promised to the one that has waited longest, so no late-comer slips in before.

use crate::{
    metrics::Entrance,
    panics::contain,
    shrink,
    sync::{AtomicUsize, Mutex, MutexGuard, lock},
    task::Task,
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    pin::Pin,
    sync::atomic::Ordering::{Acquire, Release},
    task::{Context, Poll, Waker},
};

/// One pool's shared queue.
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    /// The jobs' count, written under the lock, for a look without it.
    len: AtomicUsize,
    /// Of the jobs that wait here. What a worker under load has taken ahead no longer counts.
    capacity: usize,
}

struct Inner {
    jobs: VecDeque<Task>,
    closed: bool,
    /// Those who wait for room, by ticket: the lowest has waited longest.
    waiting: BTreeMap<u64, Waker>,
    /// Tickets whose place is promised and not yet taken up.
    granted: BTreeSet<u64>,
    /// Places that a [`Place`] holds.
    held: usize,
    next_ticket: u64,
    entrance: Entrance,
}

/// Why a push was refused, with what was to be pushed.
#[derive(Debug)]
pub(crate) enum Refused<F> {
    Full(F),
    Closed(F),
}

impl Queue {
    pub(crate) fn new(capacity: usize) -> Queue {
        let inner = Inner {
            jobs: VecDeque::new(),
            closed: false,
            waiting: BTreeMap::new(),
            granted: BTreeSet::new(),
            held: 0,
            next_ticket: 0,
            entrance: Entrance::new(),
        };
        Queue { inner: Mutex::new(inner), len: AtomicUsize::new(0), capacity }
    }

    /// Adds a job, room or not. A closed queue gives it back.
    pub(crate) fn push(&self, job: Task, eager: bool) -> Result<(), Task> {
        let mut inner = lock(&self.inner);
        if inner.closed {
            return Err(job);
        }
        self.add(&mut inner, job, eager);
        Ok(())
    }

    /// Adds a job that was accepted before, by a worker that will not run it. A closed queue gives it back.
    pub(crate) fn put_back(&self, job: Task) -> Result<(), Task> {
        let mut inner = lock(&self.inner);
        if inner.closed {
            return Err(job);
        }
        inner.jobs.push_back(job);
        self.len.store(inner.jobs.len(), Release);
        Ok(())
    }

    /// Adds the job that `make` turns `f` into, if there is room. `f` comes back whole if not, so the job is made under
    /// the lock.
    pub(crate) fn try_push_with<F, R>(
        &self,
        f: F,
        eager: bool,
        make: impl FnOnce(F) -> (Task, R),
    ) -> Result<R, Refused<F>> {
        let mut inner = lock(&self.inner);
        let f = self.admit(&inner, f)?;
        let (job, rest) = make(f);
        self.add(&mut inner, job, eager);
        Ok(rest)
    }

    /// Gives `f` back as a push does that is refused now.
    pub(crate) fn look_for_room<F>(&self, f: F) -> Result<F, Refused<F>> {
        self.admit(&lock(&self.inner), f)
    }

    fn admit<F>(&self, inner: &Inner, f: F) -> Result<F, Refused<F>> {
        if inner.closed {
            return Err(Refused::Closed(f));
        }
        if !self.has_room(inner) {
            return Err(Refused::Full(f));
        }
        Ok(f)
    }

    /// Waits for room, in the order of the first polls.
    pub(crate) fn room(&self) -> Room<'_> {
        Room { queue: self, ticket: None }
    }

    /// Takes the job that has waited longest, and with it as many as `share` makes of their number, which go to `batch`.
    pub(crate) fn take(
        &self,
        share: impl FnOnce(usize) -> usize,
        batch: &mut VecDeque<Task>,
    ) -> Option<Task> {
        if self.is_empty() {
            return None;
        }
        let mut inner = lock(&self.inner);
        let job = take_front(&mut inner.jobs, &self.len, share, batch);
        self.grant(inner);
        job
    }

    pub(crate) fn pop(&self) -> Option<Task> {
        self.take(|_| 1, &mut VecDeque::new())
    }

    /// Refuses all that comes from now on, also from those who wait for room.
    pub(crate) fn close(&self) {
        let mut inner = lock(&self.inner);
        inner.closed = true;
        inner.granted.clear();
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        waiting.into_values().for_each(|waker| contain(|| waker.wake()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn len(&self) -> usize {
        self.len.load(Acquire)
    }

    fn add(&self, inner: &mut Inner, job: Task, eager: bool) {
        inner.entrance.admit(&job, eager);
        inner.jobs.push_back(job);
        self.len.store(inner.jobs.len(), Release);
    }

    /// Jobs that got in so far.
    pub(crate) fn accepted(&self) -> u64 {
        lock(&self.inner).entrance.accepted()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    fn has_room(&self, inner: &Inner) -> bool {
        inner.jobs.len() + inner.granted.len() + inner.held < self.capacity
    }

    /// Promises the room that has come free to those who wait for it, and wakes them with the lock released.
    fn grant(&self, mut inner: MutexGuard<'_, Inner>) {
        if inner.waiting.is_empty() {
            return;
        }
        let mut wakers = Vec::new();
        while self.has_room(&inner) {
            let Some((ticket, waker)) = inner.waiting.pop_first() else { break };
            inner.granted.insert(ticket);
            wakers.push(waker);
        }
        drop(inner);
        wakers.into_iter().for_each(|waker| contain(|| waker.wake()));
    }
}

/// Takes the first job, and with it as many as `share` makes of their number, which go to `batch`. `len` is their count for
/// a look without the lock, under which this is called.
pub(crate) fn take_front(
    jobs: &mut VecDeque<Task>,
    len: &AtomicUsize,
    share: impl FnOnce(usize) -> usize,
    batch: &mut VecDeque<Task>,
) -> Option<Task> {
    let more = share(jobs.len()).saturating_sub(1);
    let job = jobs.pop_front()?;
    batch.extend(jobs.drain(..more.min(jobs.len())));
    len.store(jobs.len(), Release);
    shrink::emptied(jobs);
    Some(job)
}

/// Waits for room in the queue. Dropping it gives up the turn, and passes on a place that was promised meanwhile.
pub(crate) struct Room<'a> {
    queue: &'a Queue,
    /// Drawn at the first poll that found no room.
    ticket: Option<u64>,
}

/// A place in the queue. Dropping it gives the place to the next who waits.
pub(crate) struct Place<'a> {
    queue: &'a Queue,
}

/// The queue was closed.
#[derive(Debug)]
pub(crate) struct QueueClosed;

impl<'a> Future for Room<'a> {
    type Output = Result<Place<'a>, QueueClosed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let queue = self.queue;
        // Wakers are foreign code: cloned before the lock is taken, and dropped after it is released.
        let waker = cx.waker().clone();
        let mut inner = lock(&queue.inner);
        if inner.closed {
            return Poll::Ready(Err(QueueClosed));
        }
        let found = match self.ticket {
            Some(ticket) => inner.granted.remove(&ticket),
            None => inner.waiting.is_empty() && queue.has_room(&inner),
        };
        if found {
            inner.held += 1;
            self.ticket = None;
            return Poll::Ready(Ok(Place { queue }));
        }
        let ticket = self.ticket.unwrap_or_else(|| {
            inner.next_ticket += 1;
            inner.next_ticket
        });
        self.ticket = Some(ticket);
        // Woken by the `grant` that promises this ticket a place, or by `close`. Both look at `waiting` under this lock.
        let displaced = inner.waiting.insert(ticket, waker);
        drop(inner);
        drop(displaced);
        Poll::Pending
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let mut inner = lock(&self.queue.inner);
            let waker = inner.waiting.remove(&ticket);
            if inner.granted.remove(&ticket) {
                self.queue.grant(inner);
            } else {
                drop(inner);
            }
            drop(waker);
        }
    }
}

impl Place<'_> {
    /// Adds the job that `make` turns `f` into. A queue that was closed meanwhile gives `f` back.
    pub(crate) fn push_with<F, R>(
        self,
        f: F,
        eager: bool,
        make: impl FnOnce(F) -> (Task, R),
    ) -> Result<R, F> {
        let mut inner = lock(&self.queue.inner);
        if inner.closed {
            return Err(f);
        }
        // The place turns into the job within one hold of the lock, so the count is exact at every instant.
        inner.held -= 1;
        let (job, rest) = make(f);
        self.queue.add(&mut inner, job, eager);
        drop(inner);
        std::mem::forget(self);
        Ok(rest)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut inner = lock(&self.queue.inner);
        inner.held -= 1;
        self.queue.grant(inner);
    }
}
