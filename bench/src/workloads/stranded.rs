//! A job of no length, sent while one worker computes for long and another has nothing to do: how long it waits.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Workload;
use crate::alloc::Allocator;
use crate::channel::{Channel, Host};
use crate::measure::{Case, Outcome, micros};
use crate::pool::Pool;

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[2],
    fewest_workers: 2,
    // `after`: once the long job has begun. `together`: both at once, to an idle pool.
    variants: &["sent=after", "sent=together"],
    allocator_matters: true,
    // Each takes seconds, and who strands does so by design: the longest wait is 900 ms or next to none.
    most_runs: |_, allocator| if allocator == Allocator::System { 3 } else { 1 },
    ..Workload::new(
        "stranded",
        "0 ms jobs, one by one, while one worker computes for 900 ms (--quick: 200) and another is idle",
    )
};

/// One after the other, each when the last has been done. A worker that computes may have asked for the next job
/// before it began: the first goes to the idle worker, and the next to the one that cannot run it.
const SHORT_JOBS: usize = 8;

/// Longer than any job should wait, so that what remains of it is seen.
const REST: Duration = Duration::from_millis(5);

pub(crate) fn computation(case: Case) -> Duration {
    Duration::from_millis(case.size.of(900, 200, 30))
}

/// Keeps its thread's CPU busy.
pub(crate) fn compute(time: Duration) {
    let started = Instant::now();
    while started.elapsed() < time {
        std::hint::spin_loop();
    }
}

pub(crate) fn pool<P: Pool>(case: Case) -> Outcome {
    let long = computation(case);
    let after = is_after(case)?;
    P::drive(case.workers, move |pool: P| async move {
        let mut waits = Vec::new();
        std::thread::sleep(REST);
        let (begins, begun) = mpsc::channel();
        let computes = pool.spawn(move || {
            let _ = begins.send(());
            compute(long);
        });
        if after {
            // Sent by the long job as its first act.
            begun.recv().map_err(|_| "the long job was dropped")?;
        }
        for _ in 0..SHORT_JOBS {
            let sent = Instant::now();
            // Ended by the job's end.
            waits.push(P::join(pool.spawn(move || sent.elapsed())).await);
        }
        P::join(computes).await;
        Ok(vec![micros("longest wait", longest(&waits))])
    })
}

/// What the loops of the channel's case receive.
#[derive(Debug)]
enum Message {
    Compute(Duration, mpsc::Sender<()>),
    Note(Instant, mpsc::Sender<Duration>),
}

pub(crate) fn channel<C: Channel>(case: Case) -> Outcome {
    let long = computation(case);
    let after = is_after(case)?;
    let (sender, receiver) = C::open::<Message>(None);
    let work = move |_| {
        C::receive(receiver.clone(), |message: Message| match message {
            Message::Compute(time, begins) => {
                let _ = begins.send(());
                compute(time);
                let _ = begins.send(());
            }
            Message::Note(sent, waited) => {
                let _ = waited.send(sent.elapsed());
            }
        })
    };
    let (waits, _) = C::Host::run(case.workers, work, move || -> Result<Vec<Duration>, String> {
        let mut waits = Vec::new();
        std::thread::sleep(REST);
        let (begins, begun) = mpsc::channel();
        C::send(&sender, Message::Compute(long, begins));
        if after {
            // Sent by the receiver of the long message as its first act.
            begun.recv().map_err(|_| "the long message was dropped")?;
        }
        for _ in 0..SHORT_JOBS {
            let (noted, wait) = mpsc::channel();
            C::send(&sender, Message::Note(Instant::now(), noted));
            waits.push(wait.recv().map_err(|_| "the short message was dropped")?);
        }
        // Disconnected once the computation is over.
        while begun.recv().is_ok() {}
        Ok(waits)
    });
    Ok(vec![micros("longest wait", longest(&waits?))])
}

fn is_after(case: Case) -> Result<bool, String> {
    match case.variant {
        "sent=after" => Ok(true),
        "sent=together" => Ok(false),
        other => Err(format!("no variant is called `{other}`")),
    }
}

fn longest(waits: &[Duration]) -> Duration {
    waits.iter().copied().max().unwrap_or_default()
}
