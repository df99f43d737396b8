//! One pool from its start to its end, under threads that send, abort and drop, and the check of it all.

use crate::{
    actor::Actor,
    counts,
    ledger::Ledger,
    wakers::Kept,
    watch,
    work::{Gate, Round},
};
use fastrand::Rng;
use futures_lite::future;
use millpond::{Driver, Pin, Pool, Receipt};
use std::{
    cell::Cell,
    fs::File,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

/// What a round is made of, all by its own seed.
#[derive(Clone, Copy, Debug)]
struct Plan {
    workers: usize,
    capacity: usize,
    max_tasks: Option<usize>,
    epoll: bool,
    actors: u64,
    actions: usize,
    /// The pool's end comes when the threads have done what they do, and not in their midst.
    is_calm: bool,
    ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    Drain,
    DrainBlocking,
    Timeout(Duration),
    TimeoutBlocking(Duration),
    Drop,
    /// A shutdown that is polled once and dropped.
    DropShutdown,
    /// The pool is dropped in one of its own jobs.
    DropInJob,
}

impl Plan {
    fn by_chance(rng: &mut Rng, most_workers: usize) -> Plan {
        let limit = Duration::from_micros(rng.u64(..3_000));
        let endings = [
            Ending::Drain,
            Ending::DrainBlocking,
            Ending::Timeout(limit),
            Ending::TimeoutBlocking(limit),
            Ending::Drop,
            Ending::DropShutdown,
            Ending::DropInJob,
        ];
        Plan {
            workers: rng.usize(1..=most_workers),
            capacity: [1, 4, 64, 65_536][rng.usize(..4)],
            max_tasks: (rng.u8(..4) == 0).then(|| rng.usize(1..8)),
            epoll: rng.u8(..4) == 0,
            actors: rng.u64(1..4),
            actions: rng.usize(10..400),
            is_calm: rng.bool(),
            ending: endings[rng.usize(..endings.len())],
        }
    }

    fn cuts_off(self) -> bool {
        !matches!(self.ending, Ending::Drain | Ending::DrainBlocking)
    }
}

/// Runs the round of this seed. What it was made of comes back, and what was wrong with it.
pub(crate) fn run(
    seed: u64,
    most_workers: usize,
    kept: &Arc<Kept>,
    scratch: &Arc<File>,
) -> (String, Vec<String>) {
    let mut rng = Rng::with_seed(seed);
    let plan = Plan::by_chance(&mut rng, most_workers);
    let ledger = Arc::new(Ledger::default());
    watch::round(&ledger);
    let round = Arc::new(Round {
        ledger: Arc::clone(&ledger),
        kept: Arc::clone(kept),
        gate: Gate::default(),
        scratch: Arc::clone(scratch),
        may_wait: plan.max_tasks.is_none(),
        may_hang: plan.max_tasks.is_none() && plan.cuts_off(),
    });
    watch::doing(|| format!("starts {plan:?}"));
    let pool = match start(plan) {
        Ok(pool) => pool,
        Err(error) => return (format!("{plan:?}"), vec![error.to_string()]),
    };
    let handle = pool.handle();
    let (receipt, observed) = live(pool, plan, &round, &mut rng);
    watch::doing(|| format!("checks {plan:?}"));
    let mut wrong = ledger.check(plan.cuts_off(), plan.ending == Ending::DropInJob, receipt);
    watch::JOBS.fetch_add(ledger.len() as u64, std::sync::atomic::Ordering::Relaxed);
    wrong.extend(observed);
    wrong.extend(receipt.and_then(|receipt| counts::of_the_end(&handle.metrics(), &receipt)));
    (format!("{plan:?}"), wrong)
}

fn start(plan: Plan) -> Result<Pool, millpond::BuildError> {
    let builder = Pool::builder().worker_threads(plan.workers).pin(Pin::None).queue_capacity(plan.capacity);
    let builder = builder.driver(if plan.epoll { Driver::Epoll } else { Driver::Auto });
    match plan.max_tasks {
        Some(tasks) => builder.max_tasks_per_worker(tasks).build(),
        None => builder.build(),
    }
}

/// From the start of the threads to the end of the last handle; and what was wrong with the pool's counts meanwhile.
fn live(pool: Pool, plan: Plan, round: &Arc<Round>, rng: &mut Rng) -> (Option<Receipt>, Option<String>) {
    let (observed, over) = (pool.handle(), AtomicBool::new(false));
    thread::scope(|scope| {
        let observer = scope.spawn(|| counts::observe(&observed, &over));
        let actors: Vec<_> = (0..plan.actors)
            .map(|number| {
                let actor = Actor::new(pool.handle(), Arc::clone(round), rng.u64(..));
                let builder = thread::Builder::new().name(format!("actor {number}"));
                builder.spawn_scoped(scope, move || actor.act(plan.actions)).expect("a thread starts")
            })
            .collect();
        let join = |actors: Vec<thread::ScopedJoinHandle<'_, Actor>>| {
            // Each ends by itself: it waits for no job that the round's end has to release.
            actors.into_iter().map(|actor| actor.join().expect("an actor does not panic")).collect::<Vec<_>>()
        };
        let (receipt, actors) = if plan.is_calm {
            watch::doing(|| format!("waits for the actors of {plan:?}"));
            let actors = join(actors);
            (end(pool, plan, round), actors)
        } else {
            thread::sleep(Duration::from_micros(rng.u64(..5_000)));
            (end(pool, plan, round), join(actors))
        };
        watch::doing(|| format!("joins all that is left of {plan:?}"));
        for (ticket, handle, _) in actors.into_iter().flat_map(|actor| actor.handles) {
            // Over: the pool has ended. Where it is dropped in a job, its last worker ends with that job.
            ticket.say(handle.join());
        }
        over.store(true, SeqCst);
        // Ended by what was just stored.
        (receipt, observer.join().expect("the observer does not panic"))
    })
}

/// Ends the pool, and lets go what waits for that.
fn end(pool: Pool, plan: Plan, round: &Arc<Round>) -> Option<Receipt> {
    watch::doing(|| format!("ends {plan:?}"));
    thread::scope(|scope| {
        let opener = Cell::new(None);
        let open = || opener.set(Some(scope.spawn(|| round.gate.open())));
        let receipt = match plan.ending {
            Ending::Drain => {
                let mut shutdown = Box::pin(pool.shutdown());
                let first = future::block_on(future::poll_once(&mut shutdown));
                open();
                // Ended by the last worker: what waits for the end is released.
                Some(first.unwrap_or_else(|| future::block_on(shutdown)))
            }
            Ending::DrainBlocking => {
                open();
                Some(pool.shutdown_blocking())
            }
            Ending::Timeout(limit) => {
                open();
                // As above.
                Some(future::block_on(pool.shutdown_timeout(limit)))
            }
            Ending::TimeoutBlocking(limit) => {
                open();
                Some(pool.shutdown_timeout_blocking(limit))
            }
            Ending::Drop => {
                open();
                drop(pool);
                None
            }
            Ending::DropShutdown => {
                let mut shutdown = Box::pin(pool.shutdown());
                let _ = future::block_on(future::poll_once(&mut shutdown));
                open();
                drop(shutdown);
                None
            }
            Ending::DropInJob => {
                open();
                drop_in_job(pool);
                None
            }
        };
        opener.take().map(thread::ScopedJoinHandle::join);
        receipt
    })
}

/// Returns once the job has ended; the worker that ran it ends soon after.
fn drop_in_job(pool: Pool) {
    let handle = pool.handle();
    let job = handle.spawn_on(handle.workers()[0], move || async move { drop(pool) });
    // Ended by the job, whose pool waits for all its workers but this one.
    job.expect("a worker of this pool").join().expect("the job only drops a pool");
}
