//! A few looks more before one begins to wait.
//!
//! To be woken takes longer than to fill or empty a channel of a thousand messages: about 20 µs on a core that sleeps, and
//! a microsecond for the one that wakes. Where messages come faster than that, both sides would mostly wait for each other.
//! So a receiver that finds the channel empty just after a rush, and a thread that finds it full, look again a few times.
//! Between the looks the CPU is offered to others, for the other side may be waiting for this very one: on one CPU a
//! channel of 1,024 then carries twice as many messages. Without a rush there is no second look: a channel that is seldom
//! used costs no more for it.

use crate::sync::thread;
use std::hint;

/// In sum about 5 µs, a quarter of what being woken takes. Ten times as many gave no more messages a second.
#[cfg(not(millpond_loom))]
const LOOKS: u32 = 5;
/// loom tries out what comes before the wait and after it; looks between are more of the same.
#[cfg(millpond_loom)]
const LOOKS: u32 = 0;
/// About a microsecond apart: time for the other side to send or take a hundred messages. Each look takes the line that
/// the other side writes from its core.
const PAUSES: u32 = 50;
/// So many messages at once make a rush: they came within one wake-up, so the next will come sooner than another.
pub(super) const RUSH: usize = 16;

/// Calls `look` until it finds something.
pub(super) fn linger<R>(mut look: impl FnMut() -> Option<R>) -> Option<R> {
    (0..LOOKS).find_map(|_| {
        (0..PAUSES).for_each(|_| hint::spin_loop());
        thread::yield_now();
        look()
    })
}
