//! The driver: spawns each job by itself, and proves what comes back.

use std::collections::VecDeque;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use millpond::{Handle, JoinHandle};

use crate::args::Args;
use crate::job::{Answer, Job, Jobs};
use crate::tally;

/// How far the driver goes ahead of the oldest job that it has not awaited. Half of it is some 500 us of work, long enough
/// for a sleeping driver to wake up before the workers run dry; all of it is less than a megabyte, which stays in the
/// caches. 65,536 were slower by a quarter to a third.
const WINDOW_JOBS: usize = 4096;

/// What the handles said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settled {
    pub(crate) wrong: u64,
    pub(crate) panicked: u64,
    /// Neither an answer nor a panic.
    pub(crate) lost: u64,
}

/// Sends all jobs, and awaits them.
pub(crate) async fn drive(pool: &Handle, args: &Args) -> Settled {
    let mut window = VecDeque::with_capacity(WINDOW_JOBS);
    let mut settled = Settled::default();
    for job in Jobs::new(args.jobs) {
        if window.len() == WINDOW_JOBS {
            settled.settle(&mut window, WINDOW_JOBS / 2).await;
        }
        let panics = args.panics(&job);
        let handle = pool.spawn(move || async move {
            assert!(!panics, "job {} was told to panic", job.number);
            tally::compute(&job)
        });
        window.push_back((job, handle));
    }
    let rest = window.len();
    settled.settle(&mut window, rest).await;
    settled
}

impl Settled {
    /// Awaits the oldest `count` jobs of the window.
    async fn settle(&mut self, window: &mut VecDeque<(Job, JoinHandle<Answer>)>, count: usize) {
        // The youngest of them first. Jobs start in the order of their sending, so when it has ended the others have too,
        // or nearly: this loop sleeps once, and not before each of them.
        for (job, handle) in window.drain(..count).rev() {
            // Ended by the job's end, whatever that is: every handle resolves.
            match handle.await {
                Ok(answer) if job.is_proven_by(answer) => {}
                Ok(_) => self.wrong += 1,
                Err(error) if error.is_panic() => self.panicked += 1,
                Err(_) => self.lost += 1,
            }
        }
    }
}

/// The panics are counted; the words of the first are enough to see.
pub(crate) fn show_one_panic() {
    static SHOWN: AtomicBool = AtomicBool::new(false);
    let show = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !SHOWN.swap(true, Relaxed) {
            show(panic);
        }
    }));
}
