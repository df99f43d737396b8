//! Many short jobs sent behind one that computes for long, with another worker idle: when the last of them is done.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::Workload;
use super::stranded::{computation, compute};
use crate::channel::{Channel, Host};
use crate::measure::{Case, Outcome, check, micros};
use crate::pool::Pool;

pub(crate) const WORKLOAD: Workload = Workload {
    workers: &[2],
    fewest_workers: 2,
    ..Workload::new(
        "burst",
        "200 jobs of 10 us sent right behind one that computes for 900 ms (--quick: 200)",
    )
};

const SHORT_JOBS: usize = 200;
const SHORT_JOB: Duration = Duration::from_micros(10);

pub(crate) fn pool<P: Pool>(case: Case) -> Outcome {
    let long = computation(case);
    P::drive(case.workers, move |pool: P| async move {
        let computes = pool.spawn(move || compute(long));
        let sent = Instant::now();
        let handles: Vec<_> = (0..SHORT_JOBS)
            .map(|_| {
                pool.spawn(move || {
                    compute(SHORT_JOB);
                    sent.elapsed()
                })
            })
            .collect();
        let mut last = Duration::ZERO;
        for handle in handles {
            // Each ends with its job.
            last = last.max(P::join(handle).await);
        }
        P::join(computes).await;
        Ok(vec![micros("all done", last)])
    })
}

pub(crate) fn channel<C: Channel>(case: Case) -> Outcome {
    let (sender, receiver) = C::open::<(Duration, mpsc::Sender<Instant>)>(None);
    let work = move |_| {
        C::receive(receiver.clone(), |(time, ended): (Duration, mpsc::Sender<Instant>)| {
            compute(time);
            let _ = ended.send(Instant::now());
        })
    };
    let long = computation(case);
    let (last, _) = C::Host::run(case.workers, work, move || -> Result<Duration, String> {
        let (computed, computation) = mpsc::channel();
        let (ended, ends) = mpsc::channel();
        C::send(&sender, (long, computed));
        let sent = Instant::now();
        for _ in 0..SHORT_JOBS {
            C::send(&sender, (SHORT_JOB, ended.clone()));
        }
        drop(ended);
        // Both end when the last message has been handled and its sender dropped.
        let ends: Vec<Instant> = ends.iter().collect();
        check("the long messages handled", computation.iter().count(), 1)?;
        check("the short messages handled", ends.len(), SHORT_JOBS)?;
        Ok(ends.into_iter().max().map_or(Duration::ZERO, |last| last - sent))
    });
    Ok(vec![micros("all done", last?)])
}
