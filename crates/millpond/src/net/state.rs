//! What all threads of one server share: its counts, its room, its end.

use super::{
    receipt::{Ended, ServeReceipt},
    room::{Freed, Room},
};
use crate::{
    AbortHandle, Handle, JoinHandle,
    channel::{self, Sender},
    driver::{DriverKind, Signal, event_fd::EventFd},
    padded::Padded,
    shrink,
    shutdown::{Lifecycle, Phase},
    sync::unmodelled::{Mutex, lock},
    trace::Span,
};
use slab::Slab;
use std::{
    convert::Infallible,
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{
            AtomicU64, AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::{Duration, Instant},
};

/// One server, seen from its thread, from its connections and from whoever owns it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) pool: Handle,
    pub(super) room: Room,
    /// The same of each worker, in the order of the workers.
    seats: Box<[Padded<Seat>]>,
    /// Open connections in all. Not a sum over the seats: between two of them a connection may be on its way.
    open: AtomicUsize,
    /// How those ended that are no more.
    pub(super) ended: Ended,
    /// Its phases are those of a pool. Written by the owner, and by the server's thread when it is for the server to end.
    lifecycle: Lifecycle,
    /// Dropped, all of it, when the server stops accepting: which is what everybody then sees.
    accepting: Mutex<Option<Accepting>>,
    /// Ends the waits of the server's thread.
    pub(super) alarm: Arc<EventFd>,
    /// Whether the end of each connection is noted, for [`State::idle`]: how long after the server's begin the last one was,
    /// in microseconds.
    notes_time: bool,
    born: Instant,
    ended_us: AtomicU64,
}

/// One worker's share.
#[derive(Debug, Default)]
struct Seat {
    /// Open connections. Of the places taken, those that a connection has.
    open: AtomicUsize,
    /// The jobs of its connections, for a cut-off. Written where a job is sent, and where it ends.
    jobs: Mutex<Slab<AbortHandle>>,
}

#[derive(Debug)]
struct Accepting {
    /// Nothing is ever sent: its drop is the news.
    _stopping: Sender<Infallible>,
    /// To the accept loops on workers: look again, there may be room.
    loops: Vec<Sender<()>>,
}

/// Room for one connection, on one worker. Dropping it makes the room free.
#[derive(Debug)]
pub(super) struct Place {
    state: Arc<State>,
    worker: usize,
    /// A connection has it.
    filled: bool,
}

/// A job's line in the list of those that a cut-off aborts. Dropping it, with the job, strikes it out.
#[derive(Debug)]
pub(super) struct Listed {
    state: Arc<State>,
    worker: usize,
    key: usize,
}

impl State {
    /// With the receivers of as many accept loops on workers, and what tells of the stop.
    pub(super) fn new(
        pool: Handle,
        room: Room,
        notes_time: bool,
        stopping: Sender<Infallible>,
        loops: usize,
    ) -> io::Result<(Arc<State>, Vec<channel::Receiver<()>>)> {
        // One is enough: it says to look again.
        let (senders, receivers) = (0..loops).map(|_| channel::bounded(1)).unzip();
        let seats = (0..room.workers()).map(|_| Padded::default()).collect();
        let state = State {
            pool,
            room,
            seats,
            open: AtomicUsize::new(0),
            ended: Ended::default(),
            lifecycle: Lifecycle::new(),
            accepting: Mutex::new(Some(Accepting { _stopping: stopping, loops: senders })),
            alarm: Arc::new(EventFd::new()?),
            notes_time,
            born: Instant::now(),
            ended_us: AtomicU64::new(0),
        };
        Ok((Arc::new(state), receivers))
    }

    pub(super) fn driver(&self) -> DriverKind {
        self.pool.shared().driver
    }

    pub(super) fn workers(&self) -> usize {
        self.room.workers()
    }

    /// Connections that are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(SeqCst)
    }

    pub(super) fn open_on(&self, worker: usize) -> usize {
        self.seats[worker].open.load(SeqCst)
    }

    pub(super) fn receipt(&self) -> ServeReceipt {
        self.ended.receipt()
    }

    /// Whether the worker would start a job for it, as far as the pool's own limit goes.
    pub(super) fn may_start_on(&self, worker: usize) -> bool {
        let shared = self.pool.shared();
        shared.workers[worker].load.tasks() < shared.max_tasks_per_worker
    }

    /// A count that stands still while the worker is in a long poll, or asleep.
    pub(super) fn steps_of(&self, worker: usize) -> usize {
        self.pool.shared().workers[worker].load.steps()
    }

    /// Room for one connection on the worker that `choose` names, if there is room and it names one. If there is none, its
    /// coming is announced: by the alarm, and to the accept loops.
    pub(super) fn reserve(self: &Arc<State>, choose: impl FnMut() -> Option<usize>) -> Option<Place> {
        let worker = self.room.take(choose, |freed| self.tell_of(freed))?;
        Some(Place { state: Arc::clone(self), worker, filled: false })
    }

    fn tell_of(&self, freed: Freed) {
        if freed.is_wanted {
            self.alarm.notify();
            self.look_again();
        }
        if freed.was_last && !self.is_accepting() {
            self.alarm.notify();
        }
    }

    /// A connection ends now.
    fn note_time(&self) {
        if self.notes_time {
            let ended_us = u64::try_from(self.born.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.ended_us.fetch_max(ended_us, Relaxed);
        }
    }

    /// For how long no connection has been open, if none is, and the times are noted.
    pub(super) fn idle(&self) -> Option<Duration> {
        let ended = |open| (open == 0).then(|| Duration::from_micros(self.ended_us.load(Relaxed)));
        ended(self.open()).map(|ended| self.born.elapsed().saturating_sub(ended))
    }

    fn look_again(&self) {
        if let Some(accepting) = &*lock(&self.accepting) {
            // One that is there already says the same.
            for accept in &accepting.loops {
                let _ = accept.try_send(());
            }
        }
    }

    pub(super) fn is_accepting(&self) -> bool {
        self.lifecycle.phase() == Phase::Running
    }

    pub(super) fn is_cut_off(&self) -> bool {
        self.lifecycle.phase() == Phase::CutOff
    }

    /// When the wait for open connections ends, if it does.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.lifecycle.deadline()
    }

    /// Stops accepting; what is open may end by itself, until the deadline. Again, it can bring a deadline.
    pub(super) fn stop(&self, deadline: Option<Instant>) {
        self.lifecycle.drain(deadline);
        self.tell_that_it_stops();
    }

    /// Stops accepting, and drops the handlers of what is open, each at its next await on its worker.
    pub(super) fn cut_off(&self) {
        self.lifecycle.cut_off();
        self.tell_that_it_stops();
        for seat in &self.seats {
            // Out of the lock first: an abort may drop a job here, and that strikes itself out.
            let jobs: Vec<_> = lock(&seat.jobs).iter().map(|(_, job)| job.clone()).collect();
            jobs.iter().for_each(AbortHandle::abort);
        }
    }

    fn tell_that_it_stops(&self) {
        // Out of the lock first: whom it wakes may look in.
        let accepting = lock(&self.accepting).take();
        drop(accepting);
        self.alarm.notify();
    }

    /// Sends a connection's job to its worker. A server that is cut off calls it off at once.
    pub(super) fn send<F, Fut, T>(self: &Arc<State>, worker: usize, f: F) -> JoinHandle<T>
    where
        F: FnOnce(Listed) -> Fut + Send + 'static,
        Fut: Future<Output = T> + 'static,
        T: Send + 'static,
    {
        let origin = self.pool.origin();
        let span = Span::of_job(origin, size_of::<Fut>());
        let mut jobs = lock(&self.seats[worker].jobs);
        let entry = jobs.vacant_entry();
        let listed = Listed { state: Arc::clone(self), worker, key: entry.key() };
        let (job, join) = self.pool.job(origin, span, move || f(listed));
        let join = JoinHandle::new(join);
        entry.insert(join.abort_handle());
        drop(jobs);
        // Written before the list is read for a cut-off, so one that comes too late for that finds it here.
        if self.is_cut_off() {
            join.abort();
        }
        if let Err(job) = self.pool.shared().workers[worker].send_job(job) {
            job.never_start();
        }
        join
    }
}

impl Place {
    pub(super) fn state(&self) -> &Arc<State> {
        &self.state
    }

    pub(super) fn worker(&self) -> usize {
        self.worker
    }

    /// A connection has it from now on.
    pub(super) fn fill(&mut self) {
        self.filled = true;
        self.state.open.fetch_add(1, SeqCst);
        self.state.seats[self.worker].open.fetch_add(1, SeqCst);
    }

    /// Takes a place on another worker instead, whether or not there is room: the connection is there.
    pub(super) fn move_to(&mut self, worker: usize) {
        let seats = &self.state.seats;
        seats[worker].open.fetch_add(1, SeqCst);
        seats[self.worker].open.fetch_sub(1, SeqCst);
        let freed = self.state.room.change(self.worker, worker);
        self.worker = worker;
        self.state.tell_of(freed);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let seat = &self.state.seats[self.worker];
        if self.filled {
            seat.open.fetch_sub(1, SeqCst);
            self.state.note_time();
            self.state.open.fetch_sub(1, SeqCst);
        }
        // Last: who waits for the end then finds all counted.
        self.state.tell_of(self.state.room.give_back_on(self.worker));
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut jobs = lock(&self.state.seats[self.worker].jobs);
        let job = jobs.remove(self.key);
        shrink::emptied_table(&mut jobs);
        drop((jobs, job));
    }
}
