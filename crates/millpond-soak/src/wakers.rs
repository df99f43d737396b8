//! Plain threads that wake jobs: for a reason, and for none.

use fastrand::Rng;
use futures_channel::oneshot;
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Waker,
    thread,
    time::Duration,
};

/// Wakers that are kept, most of them of jobs and pools that have gone. Each keeps one cell of memory.
const KEPT_WAKERS: usize = 256;
/// Wakes of one waker in a storm.
const STORM_WAKES: usize = 2_000;

/// What the threads wake.
#[derive(Default)]
pub(crate) struct Kept {
    wakers: Mutex<VecDeque<Waker>>,
    senders: Mutex<Vec<oneshot::Sender<()>>>,
}

impl Kept {
    pub(crate) fn keep(&self, waker: &Waker) {
        let mut wakers = self.wakers.lock();
        wakers.push_back(waker.clone());
        let oldest = if wakers.len() > KEPT_WAKERS { wakers.pop_front() } else { None };
        drop(wakers);
        drop(oldest);
    }

    /// Is sent soon, by a thread of these.
    pub(crate) fn send_soon(&self, sender: oneshot::Sender<()>) {
        self.senders.lock().push(sender);
    }

    fn send_all(&self) {
        let senders = std::mem::take(&mut *self.senders.lock());
        // The job that waited may have been ended meanwhile.
        for sender in senders {
            let _ = sender.send(());
        }
    }

    fn storm(&self, rng: &mut Rng) {
        let waker = {
            let wakers = self.wakers.lock();
            if wakers.is_empty() { None } else { wakers.get(rng.usize(..wakers.len())).cloned() }
        };
        let times = if rng.u8(..10) == 0 { STORM_WAKES } else { 1 };
        waker.into_iter().for_each(|waker| (0..times).for_each(|_| waker.wake_by_ref()));
    }
}

/// A thread that wakes, until it is told to stop.
pub(crate) fn start(kept: Arc<Kept>, stop: Arc<AtomicBool>, seed: u64) -> thread::JoinHandle<()> {
    let mut rng = Rng::with_seed(seed);
    let wake = move || {
        while !stop.load(Relaxed) {
            kept.send_all();
            kept.storm(&mut rng);
            thread::sleep(Duration::from_micros(rng.u64(..500)));
        }
        kept.send_all();
    };
    thread::Builder::new().name(format!("waker {seed:x}")).spawn(wake).expect("a thread starts")
}
