//! What the jobs do.

use crate::{
    io,
    ledger::{Accepted, Alive, Home, Ledger, Ticket},
    wakers::Kept,
};
use fastrand::Rng;
use futures_channel::oneshot;
use millpond::{Handle, JoinHandle, Pin, Pool};
use parking_lot::Mutex;
use std::{
    fs::File,
    future::poll_fn,
    pin::Pin as PinMut,
    sync::Arc,
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

/// What all jobs of a round reach.
pub(crate) struct Round {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) kept: Arc<Kept>,
    pub(crate) gate: Gate,
    /// Read and written by the jobs, each in a place of its own.
    pub(crate) scratch: Arc<File>,
    /// Jobs may wait for jobs, or for the round's end: no limit of started jobs can keep those from it.
    pub(crate) may_wait: bool,
    /// Jobs may wait for ever: the pool's end cuts them off.
    pub(crate) may_hang: bool,
}

/// Opens once, when the round ends.
#[derive(Default)]
pub(crate) struct Gate(Mutex<(bool, Vec<Waker>)>);

/// How often jobs send jobs that send jobs.
const DEPTH: u8 = 2;
/// The longest timer that a job waits for.
const SLEEP_MAX_US: u64 = 3_000;

impl Gate {
    pub(crate) fn open(&self) {
        let wakers = {
            let mut inner = self.0.lock();
            inner.0 = true;
            std::mem::take(&mut inner.1)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    async fn wait(&self, kept: &Kept) {
        // Woken by `open`, which sets the mark and takes the wakers under the same lock.
        poll_fn(|cx| {
            let mut inner = self.0.lock();
            if inner.0 {
                return Poll::Ready(());
            }
            inner.1.push(cx.waker().clone());
            drop(inner);
            kept.keep(cx.waker());
            Poll::Pending
        })
        .await;
    }
}

/// The kinds of jobs.
const KINDS: [&str; 18] = [
    "return",
    "return",
    "yield",
    "panic in closure",
    "panic in future",
    "panic in drop",
    "sleep",
    "read file",
    "write file",
    "echo",
    "foreign wake",
    "spawn",
    "spawn local",
    "spawn in drop",
    "spawn blocking",
    "nested pool",
    "wait for the end",
    "hang",
];

/// One job to be sent.
pub(crate) struct Job {
    pub(crate) ticket: Arc<Ticket>,
    round: Arc<Round>,
    seed: u64,
    depth: u8,
    alive: Alive,
}

impl Job {
    pub(crate) fn by_chance(round: &Arc<Round>, rng: &mut Rng) -> Job {
        Job::of_depth(round, rng, DEPTH)
    }

    fn of_depth(round: &Arc<Round>, rng: &mut Rng, depth: u8) -> Job {
        let mut kind = KINDS[rng.usize(..KINDS.len())];
        let waits = kind == "wait for the end" && !round.may_wait || kind == "hang" && !round.may_hang;
        // A pool takes a while to make: few of them.
        let is_dear = kind == "nested pool" && rng.u8(..8) > 0;
        if waits || is_dear || depth == 0 && kind.starts_with("spawn") {
            kind = "yield";
        }
        Job::new(round, rng, kind, false, depth)
    }

    fn new(round: &Arc<Round>, rng: &mut Rng, kind: &'static str, is_blocking: bool, depth: u8) -> Job {
        let ticket = round.ledger.ticket(kind, is_blocking);
        let alive = Alive::new(&ticket);
        Job { ticket, round: Arc::clone(round), seed: rng.u64(..), depth, alive }
    }

    pub(crate) fn blocking(round: &Arc<Round>, rng: &mut Rng) -> Job {
        let kind = ["return", "sleep", "panic in closure"][rng.usize(..3)];
        Job::new(round, rng, kind, true, 0)
    }

    /// Whether the job ends without the round's end.
    pub(crate) fn ends_by_itself(&self) -> bool {
        // A job that sends others may wait for them.
        !matches!(self.ticket.kind, "wait for the end" | "hang" | "spawn" | "spawn local")
    }

    pub(crate) fn closure(self) -> impl FnOnce() -> JobFuture + Send + 'static {
        move || self.call()
    }

    pub(crate) fn call(self) -> JobFuture {
        let Job { ticket, round, seed, depth, alive } = self;
        ticket.start();
        if ticket.kind == "panic in closure" {
            ticket.throw();
        }
        let home = Home::here(&round.ledger, &ticket);
        let body = body(Arc::clone(&round), Arc::clone(&ticket), Rng::with_seed(seed), depth);
        JobFuture { body: Box::pin(body), end: OnEnd(ticket, round), home, _alive: alive }
    }

    pub(crate) fn blocking_closure(self) -> impl FnOnce() -> usize + Send + 'static {
        move || {
            let job = self;
            job.ticket.start();
            match job.ticket.kind {
                "sleep" => thread::sleep(Duration::from_micros(job.seed % SLEEP_MAX_US)),
                "panic in closure" => job.ticket.throw(),
                _ => {}
            }
            job.ticket.end();
            job.ticket.id()
        }
    }
}

/// A job's future.
pub(crate) struct JobFuture {
    body: PinMut<Box<dyn Future<Output = ()>>>,
    /// Acts before the home is checked.
    end: OnEnd,
    home: Home,
    _alive: Alive,
}

/// What some jobs do when they are dropped.
struct OnEnd(Arc<Ticket>, Arc<Round>);

impl Future for JobFuture {
    type Output = usize;

    fn poll(mut self: PinMut<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        self.home.check("was polled");
        // Woken as its own waits say.
        self.body.as_mut().poll(cx).map(|()| self.end.0.id())
    }
}

impl Drop for OnEnd {
    fn drop(&mut self) {
        let OnEnd(ticket, round) = self;
        if ticket.kind == "spawn in drop" {
            let mut rng = Rng::with_seed(ticket.id() as u64);
            let job = Job::new(round, &mut rng, "return", false, 0);
            drop(send(&Handle::current(), job, &mut rng));
        }
        if ticket.kind == "panic in drop" && !thread::panicking() {
            ticket.throw();
        }
    }
}

/// Sends a job in one way or another; the ticket is told whether it was taken.
pub(crate) fn send(pool: &Handle, job: Job, rng: &mut Rng) -> Option<JoinHandle<usize>> {
    let ticket = Arc::clone(&job.ticket);
    ticket.set_accepted(Accepted::Maybe);
    match rng.u8(..4) {
        0 => Some(pool.spawn(job.closure())),
        1 => {
            let worker = pool.workers()[rng.usize(..pool.workers().len())];
            Some(pool.spawn_on(worker, job.closure()).expect("a worker of this pool"))
        }
        2 => Some(pool.spawn_by_key(&rng.u8(..), job.closure())),
        _ => {
            let tried = pool.try_spawn(job.closure()).ok();
            ticket.set_accepted(if tried.is_some() { Accepted::Yes } else { Accepted::No });
            tried
        }
    }
}

pub(crate) fn send_blocking(pool: &Handle, job: Job) -> JoinHandle<usize> {
    job.ticket.set_accepted(Accepted::Maybe);
    pool.spawn_blocking(job.blocking_closure())
}

async fn body(round: Arc<Round>, ticket: Arc<Ticket>, mut rng: Rng, depth: u8) {
    match ticket.kind {
        "yield" => {
            for _ in 0..rng.u8(..20) {
                // Ready at its next poll.
                futures_lite::future::yield_now().await;
            }
        }
        "panic in future" => ticket.throw(),
        // Ended by the timer.
        "sleep" => monoio::time::sleep(Duration::from_micros(rng.u64(..SLEEP_MAX_US))).await,
        "read file" => io::read(&round, &mut rng).await,
        "write file" => io::write(&round, &ticket).await,
        "echo" => io::echo(&round, &mut rng).await,
        "foreign wake" => {
            let (sender, receiver) = oneshot::channel();
            round.kept.send_soon(sender);
            // Ended by one of the threads that wake: each sends all that it finds, again and again.
            let _ = receiver.await;
        }
        "spawn" | "spawn local" | "spawn blocking" => children(&round, &ticket, &mut rng, depth).await,
        "nested pool" => nested(&round, &mut rng).await,
        // Ended by the round's end, or with the pool.
        "wait for the end" => round.gate.wait(&round.kept).await,
        // Ended with the pool.
        "hang" => io::hang(&round, &mut rng).await,
        _ => {}
    }
    ticket.end();
}

async fn children(round: &Arc<Round>, ticket: &Ticket, rng: &mut Rng, depth: u8) {
    let pool = Handle::current();
    let mut handles = Vec::new();
    for _ in 0..rng.u8(1..4) {
        let (child, handle);
        if ticket.kind == "spawn blocking" {
            let job = Job::blocking(round, rng);
            child = Arc::clone(&job.ticket);
            handle = Some(send_blocking(&pool, job));
        } else {
            let job = Job::of_depth(round, rng, depth - 1);
            child = Arc::clone(&job.ticket);
            handle = if ticket.kind == "spawn local" {
                job.ticket.set_accepted(Accepted::Maybe);
                Some(millpond::spawn_local(Local(Some(job), None)))
            } else {
                send(&pool, job, rng)
            };
        }
        handles.extend(handle.map(|handle| (child, handle)));
    }
    for (child, handle) in handles {
        match rng.u8(..3) {
            0 => {
                child.will_be_aborted();
                handle.abort();
            }
            // Ended by the child, or by the end of the pool.
            1 if round.may_wait => child.say(handle.await),
            _ => drop(handle),
        }
    }
}

/// A job that starts with its first poll.
struct Local(Option<Job>, Option<JobFuture>);

impl Future for Local {
    type Output = usize;

    fn poll(mut self: PinMut<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        if let Some(job) = self.0.take() {
            self.1 = Some(job.call());
        }
        // Woken as the job's own waits say.
        PinMut::new(self.1.as_mut().expect("a future that panicked is not polled again")).poll(cx)
    }
}

/// A pool of one worker inside a job, ended in one way or another.
async fn nested(round: &Arc<Round>, rng: &mut Rng) {
    let built = Pool::builder().worker_threads(1).pin(Pin::None).build();
    let Ok(pool) = built.map_err(|error| round.ledger.wrong(format!("no nested pool: {error}"))) else {
        return;
    };
    let handles: Vec<_> = (0..3_u64).map(|n| pool.spawn(move || async move { n })).collect();
    match rng.u8(..3) {
        0 => drop(pool),
        1 => {
            // Ended by the last worker of that pool.
            let receipt = pool.shutdown().await;
            if receipt.completed != 3 {
                round.ledger.wrong(format!("a nested pool's drain ended with {receipt:?}"));
            }
        }
        _ => {
            // As above, at once.
            let receipt = pool.shutdown_timeout(Duration::ZERO).await;
            if receipt.accepted() != 3 {
                round.ledger.wrong(format!("a nested pool ended with {receipt:?}"));
            }
        }
    }
    for (n, handle) in (0..).zip(handles) {
        // Over: its pool has gone.
        match handle.await {
            Ok(value) if value == n => {}
            Err(error) if error.is_shutdown() => {}
            other => round.ledger.wrong(format!("a nested pool's job {n} ended with {other:?}")),
        }
    }
}
