//! How a loop that found nothing goes to sleep, and how it is woken: the protocol of the hand-off.
//!
//! A loop that found nothing *announces* that it sleeps, *looks once more*, and only then waits on its driver. Whoever
//! brings work *publishes* it, *then looks for a sleeper*. Between its two steps each side has a `SeqCst` fence:
//!
//! ```text
//! loop                                   bringer
//!   announce: seat := ASLEEP               publish the work
//!   fence                                  fence
//!   look for work                          look at the seat
//!   wait until unparked                    ASLEEP: turn it to WOKEN, and the one that turns it unparks
//! ```
//!
//! The two fences are in one total order. If the loop's comes first, the bringer's look comes after the announcement and
//! sees it: it unparks, and an unpark that comes before the wait ends that wait at once (the driver's signal stays set).
//! If the bringer's comes first, the loop's look sees the work, and it does not wait. So no work is left behind with its
//! loop asleep. The turn to WOKEN is one compare-and-swap, so one sleep is ended by one unpark, however many bring work; a
//! bringer that finds the seat WOKEN has its work seen too, at the loop's next look, which comes after the fence of its next
//! announcement if not before.
//!
//! Work for one loop (an inbox) looks at that loop's [`Seat`]. Work for any worker (the shared queue, and what a worker has
//! at hand) looks at the list of [`Sleepers`], which is announced and looked at in the same way, and takes one worker off
//! it: one push wakes at most one, the one with the fewest tasks. A worker taken off the list may have been woken by its
//! own inbox too, and be about to compute for long. So before each poll a worker looks whether work waits while others
//! sleep, and passes the wake on.

use crate::{
    context,
    driver::Signal,
    sync::{AtomicU8, AtomicUsize, Mutex, fence, lock},
};
use std::sync::{
    Arc,
    atomic::{
        AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, SeqCst},
    },
};

const AWAKE: u8 = 0;
const ASLEEP: u8 = 1;
/// Unparked, and not up yet: it will look at everything before it does anything.
const WOKEN: u8 = 2;

/// Where one loop sleeps.
pub(crate) struct Seat {
    /// The owner writes `ASLEEP` and `AWAKE`; the one that unparks it turns `ASLEEP` to `WOKEN`.
    state: AtomicU8,
    /// Ends the driver's wait. Stays set until a wait has seen it.
    signal: Arc<dyn Signal>,
    /// How often it was given, by any thread. Written beside a system call.
    wakes: AtomicU64,
}

impl Seat {
    pub(crate) fn new(signal: Arc<dyn Signal>) -> Seat {
        Seat { state: AtomicU8::new(AWAKE), signal, wakes: AtomicU64::new(0) }
    }

    /// First step of the owner. It looks once more for work after this and before it waits.
    pub(crate) fn announce(&self) {
        self.state.store(ASLEEP, Relaxed);
        fence(SeqCst);
    }

    /// The owner is up again, whatever ended its wait.
    pub(crate) fn get_up(&self) {
        self.state.store(AWAKE, Relaxed);
        // For whoever left a hint and then looks whether the loop sleeps: see `channel::hints`.
        fence(SeqCst);
    }

    /// For whoever would bring work here only if it will be seen to at once. After a fence of the caller's.
    pub(crate) fn is_asleep(&self) -> bool {
        self.state.load(Relaxed) == ASLEEP
    }

    /// Second step of a bringer: call it after the work is published.
    pub(crate) fn unpark(&self) {
        fence(SeqCst);
        if self.state.load(Relaxed) == ASLEEP
            && self.state.compare_exchange(ASLEEP, WOKEN, AcqRel, Relaxed).is_ok()
        {
            self.signal.notify();
            self.wakes.fetch_add(1, Relaxed);
            context::count_wake_sent();
        }
    }

    /// How often it was woken so far.
    pub(crate) fn wakes(&self) -> u64 {
        self.wakes.load(Relaxed)
    }

    /// Whether it sleeps or has just been woken, so that it will look for work before it runs anything. A hint.
    pub(crate) fn will_look(&self) -> bool {
        self.state.load(Relaxed) != AWAKE
    }
}

/// The workers of a pool that sleep and would take a job from the shared queue.
pub(crate) struct Sleepers {
    /// Indices of workers. A worker enters itself; it or a bringer takes it out.
    list: Mutex<Vec<u16>>,
    /// The list's length, written under its lock, for a look without it.
    count: AtomicUsize,
}

impl Sleepers {
    pub(crate) fn new() -> Sleepers {
        Sleepers { list: Mutex::new(Vec::new()), count: AtomicUsize::new(0) }
    }

    /// First step of a worker, beside its seat's.
    pub(crate) fn announce(&self, worker: u16) {
        let mut list = lock(&self.list);
        list.push(worker);
        self.count.store(list.len(), Relaxed);
        drop(list);
        fence(SeqCst);
    }

    /// The worker is up again. It may have been taken off before.
    pub(crate) fn get_up(&self, worker: u16) {
        let mut list = lock(&self.list);
        list.retain(|&sleeper| sleeper != worker);
        self.count.store(list.len(), Relaxed);
    }

    /// Second step of a bringer: takes off one sleeper to unpark, with the least `load`. Call it after the work is
    /// published.
    pub(crate) fn take_one(&self, load: impl Fn(u16) -> usize) -> Option<u16> {
        fence(SeqCst);
        if self.count.load(Relaxed) == 0 {
            return None;
        }
        let mut list = lock(&self.list);
        // Among equals the one that fell asleep last: its caches are the warmest.
        let (place, _) = list.iter().enumerate().rev().min_by_key(|(_, sleeper)| load(**sleeper))?;
        let sleeper = list.remove(place);
        self.count.store(list.len(), Relaxed);
        Some(sleeper)
    }

    /// Whether someone sleeps, for a worker that would pass a wake on. A look that comes too early costs nothing: the
    /// one that brought the work has looked too.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Acquire) == 0
    }
}
