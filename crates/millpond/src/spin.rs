//! Whether a loop that found nothing looks again for a while before it goes to sleep.
//!
//! To fall asleep and be woken costs both sides more than a short wait does: the one who brings work a system call, the
//! loop some tens of microseconds on a virtual machine. Competitive spinning (Karlin, Manasse, McGeoch and Owicki, 1994)
//! bounds the price: look for as long as a sleep would cost, and never pay more than twice the best. A loop does it only
//! if its last rest was as short as that, and was ended by work that someone brought. So one that is truly idle does it
//! once and then sleeps, and one that waits for its own I/O leaves that to the kernel.

use std::{
    hint,
    time::{Duration, Instant},
};

/// What it costs to sleep and be woken: 20 to 60 us on virtual machines, a few on bare metal.
const LONGEST_SPIN_US: u64 = 50;

/// Looks in a row between two turns of the driver, each of which is a system call and more: work is found sooner by them,
/// and the turns come about as often as without. In a model each would be a step of its own.
const LOOKS_PER_TURN: usize = if cfg!(any(millpond_loom, millpond_shuttle)) { 1 } else { 8 };
/// The CPU's own pauses before each look, some 60 ns: a look reads lines that whoever brings work writes, and one after
/// another would hold that up.
const PAUSES_PER_LOOK: usize = 6;

/// Whether `found` says so in one of several looks.
pub(crate) fn look(found: impl Fn() -> bool) -> bool {
    (0..LOOKS_PER_TURN).any(|_| {
        (0..PAUSES_PER_LOOK).for_each(|_| hint::spin_loop());
        found()
    })
}

/// One loop's rests.
#[derive(Debug)]
pub(crate) struct Spin {
    /// When the loop found nothing, until it finds something.
    idle_since: Option<Instant>,
    /// The last rest was short enough to be spent awake, and ended by what the loop can look for.
    is_worth_it: bool,
}

impl Spin {
    pub(crate) fn new() -> Spin {
        Spin { idle_since: None, is_worth_it: false }
    }

    /// The loop has found nothing. True: it should look again, and not sleep yet.
    pub(crate) fn found_nothing(&mut self, now: Instant) -> bool {
        let idle = now - *self.idle_since.get_or_insert(now);
        self.is_worth_it &= is_short(idle);
        self.is_worth_it
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.idle_since.is_some()
    }

    /// The loop had nothing to do until now. `brought`: by another thread, and not by its own driver.
    pub(crate) fn found_work(&mut self, brought: bool, now: Instant) {
        if let Some(since) = self.idle_since.take() {
            self.is_worth_it = brought && is_short(now - since);
        }
    }
}

fn is_short(rest: Duration) -> bool {
    rest < Duration::from_micros(LONGEST_SPIN_US)
}
