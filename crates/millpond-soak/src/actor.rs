//! A thread that sends jobs and does to their handles what comes to its mind.

use crate::{
    ledger::{Accepted, Ticket},
    watch,
    work::{self, Job, Round},
};
use fastrand::Rng;
use millpond::{AbortHandle, Handle, JoinHandle, SubmitError};
use std::{
    collections::VecDeque,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Abort handles that are kept, most of them of jobs and pools that have gone.
const KEPT_ABORTS: usize = 64;

/// What a thread keeps of the jobs that it has sent.
pub(crate) struct Actor {
    pool: Handle,
    round: Arc<Round>,
    rng: Rng,
    /// A job's handle, and whether the job ends by itself.
    pub(crate) handles: Vec<(Arc<Ticket>, JoinHandle<usize>, bool)>,
    aborts: VecDeque<(Arc<Ticket>, AbortHandle)>,
}

impl Actor {
    pub(crate) fn new(pool: Handle, round: Arc<Round>, seed: u64) -> Actor {
        Actor { pool, round, rng: Rng::with_seed(seed), handles: Vec::new(), aborts: VecDeque::new() }
    }

    /// Does so many things, or fewer if the pool ends.
    pub(crate) fn act(mut self, times: usize) -> Actor {
        for _ in 0..times {
            let what = self.rng.u8(..24);
            watch::doing(|| format!("action {what}, with {} handles", self.handles.len()));
            let is_open = match what {
                0..=7 => self.send(),
                8 => self.submit_blocking(),
                9 => self.submit_polled(),
                10 => self.broadcast(),
                11 => self.blocking(),
                12..=13 => self.abort(),
                14 => self.abort_kept(),
                15..=16 => self.drop_handle(),
                17..=18 => self.join(),
                19..=20 => self.join_timeout(),
                21 => self.keep_abort(),
                22 => self.await_here(),
                _ => self.rest(),
            };
            if !is_open {
                break;
            }
        }
        watch::doing(|| "done".to_owned());
        self
    }

    fn job(&mut self) -> Job {
        Job::by_chance(&self.round, &mut self.rng)
    }

    /// False: the pool takes no more.
    fn send(&mut self) -> bool {
        let job = self.job();
        let (ticket, ends) = (Arc::clone(&job.ticket), job.ends_by_itself());
        if let Some(handle) = work::send(&self.pool, job, &mut self.rng) {
            self.handles.push((ticket, handle, ends));
        }
        true
    }

    fn submit_blocking(&mut self) -> bool {
        // A full queue behind jobs that wait for the end would keep this thread from ending before them.
        if self.round.may_hang || self.round.may_wait {
            return self.send();
        }
        let job = self.job();
        let (ticket, ends) = (Arc::clone(&job.ticket), job.ends_by_itself());
        // Ended by a worker that takes a job, or by the pool's end.
        let submitted = self.pool.submit_blocking(job.closure());
        self.submitted(ticket, ends, submitted.map_err(drop_closure))
    }

    /// Polls a `submit` a few times and drops it.
    fn submit_polled(&mut self) -> bool {
        let job = self.job();
        let (ticket, ends) = (Arc::clone(&job.ticket), job.ends_by_itself());
        let pool = self.pool.clone();
        let mut submit = pin!(pool.submit(job.closure()));
        for _ in 0..self.rng.u8(1..4) {
            if let Poll::Ready(submitted) = submit.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return self.submitted(ticket, ends, submitted.map_err(drop_closure));
            }
            std::thread::yield_now();
        }
        ticket.set_accepted(Accepted::No);
        true
    }

    fn submitted(&mut self, ticket: Arc<Ticket>, ends: bool, result: Result<JoinHandle<usize>, ()>) -> bool {
        ticket.set_accepted(if result.is_ok() { Accepted::Yes } else { Accepted::No });
        result.map(|handle| self.handles.push((ticket, handle, ends))).is_ok()
    }

    fn broadcast(&mut self) -> bool {
        let jobs: Vec<_> = self.pool.workers().iter().map(|_| ()).collect();
        let jobs: Vec<_> = jobs.into_iter().map(|()| self.job()).collect();
        let tickets: Vec<_> =
            jobs.iter().map(|job| (Arc::clone(&job.ticket), job.ends_by_itself())).collect();
        tickets.iter().for_each(|(ticket, _)| ticket.set_accepted(Accepted::Maybe));
        // The closure is cloned for each worker; each takes its own job out.
        let jobs = Arc::new(parking_lot::Mutex::new(jobs.into_iter().map(Some).collect::<Vec<_>>()));
        let handles = self.pool.broadcast(move |worker| {
            let job = jobs.lock()[worker.index()].take().expect("each worker is called once");
            job.call()
        });
        for ((ticket, ends), handle) in tickets.into_iter().zip(handles.into_handles()) {
            self.handles.push((ticket, handle, ends));
        }
        true
    }

    fn blocking(&mut self) -> bool {
        let job = Job::blocking(&self.round, &mut self.rng);
        let ticket = Arc::clone(&job.ticket);
        self.handles.push((ticket, work::send_blocking(&self.pool, job), true));
        true
    }

    fn pick(&mut self) -> Option<usize> {
        (!self.handles.is_empty()).then(|| self.rng.usize(..self.handles.len()))
    }

    fn abort(&mut self) -> bool {
        if let Some(index) = self.pick() {
            let (ticket, handle, _) = &self.handles[index];
            ticket.will_be_aborted();
            handle.abort();
        }
        true
    }

    fn keep_abort(&mut self) -> bool {
        if let Some(index) = self.pick() {
            let (ticket, handle, _) = &self.handles[index];
            self.aborts.push_back((Arc::clone(ticket), handle.abort_handle()));
            if self.aborts.len() > KEPT_ABORTS {
                self.aborts.pop_front();
            }
        }
        true
    }

    fn abort_kept(&mut self) -> bool {
        for (ticket, handle) in self.aborts.iter().filter(|_| self.rng.bool()) {
            ticket.will_be_aborted();
            handle.abort();
        }
        true
    }

    fn drop_handle(&mut self) -> bool {
        if let Some(index) = self.pick() {
            drop(self.handles.swap_remove(index));
        }
        true
    }

    fn join(&mut self) -> bool {
        let ended = self.pick().filter(|index| self.handles[*index].2);
        if let Some((ticket, handle, _)) = ended.map(|index| self.handles.swap_remove(index)) {
            // Ended by the job, which waits for nothing that is the round's to end, or by the pool's end.
            ticket.say(handle.join());
        }
        true
    }

    fn join_timeout(&mut self) -> bool {
        if let Some((ticket, handle, ends)) = self.pick().map(|index| self.handles.swap_remove(index)) {
            match handle.join_timeout(Duration::from_micros(self.rng.u64(..2_000))) {
                Ok(result) => ticket.say(result),
                Err(handle) => self.handles.push((ticket, handle, ends)),
            }
        }
        true
    }

    /// As `join`, on another executor.
    fn await_here(&mut self) -> bool {
        let ended = self.pick().filter(|index| self.handles[*index].2);
        if let Some((ticket, handle, _)) = ended.map(|index| self.handles.swap_remove(index)) {
            // Ended as in `join`.
            ticket.say(futures_lite::future::block_on(handle));
        }
        true
    }

    fn rest(&mut self) -> bool {
        std::thread::sleep(Duration::from_micros(self.rng.u64(..300)));
        true
    }
}

fn drop_closure<F>(error: SubmitError<F>) {
    drop(error);
}
