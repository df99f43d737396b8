//! How much more the pool can take, and how the intake learns that there is room.
//!
//! Two levels go up with each message that comes and down with each that begins or ends. The intake, when it has nothing to
//! do, sets a mark at each; the worker that takes the level down to the mark wakes it.
//!
//! ```text
//! intake                      worker
//!   mark := m                   level := level - 1
//!   read level                  read mark
//!   at m or below: pull         level = mark: wake the intake
//! ```
//!
//! All four are SeqCst. So the worker that passes the mark sees it, or the intake sees that it has been passed. While the
//! intake waits nobody takes the level up, so it cannot be passed and be above again.

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use tokio::sync::Notify;

/// One consumer's.
#[derive(Debug)]
pub(crate) struct Room {
    /// Messages whose handler has not begun.
    pub(crate) waiting: Level,
    /// Messages that are not over.
    pub(crate) in_flight: Level,
    /// Woken at the marks. It keeps a wake that comes before the wait.
    pub(crate) freed: Notify,
}

#[derive(Debug)]
pub(crate) struct Level {
    /// Raised by the intake alone.
    level: AtomicI64,
    /// Set by the intake alone.
    mark: AtomicI64,
}

/// A level that is never reached.
const NO_MARK: i64 = -1;

impl Room {
    pub(crate) fn new() -> Room {
        let level = || Level { level: AtomicI64::new(0), mark: AtomicI64::new(NO_MARK) };
        Room { waiting: level(), in_flight: level(), freed: Notify::new() }
    }

    /// A message has come.
    pub(crate) fn came(&self) {
        self.in_flight.level.fetch_add(1, SeqCst);
        self.waiting.level.fetch_add(1, SeqCst);
    }

    /// Its handler begins, or never will.
    pub(crate) fn begun(&self) {
        self.lower(&self.waiting);
    }

    /// It is over.
    pub(crate) fn over(&self) {
        self.lower(&self.in_flight);
    }

    fn lower(&self, level: &Level) {
        let now = level.level.fetch_sub(1, SeqCst) - 1;
        if now == level.mark.load(SeqCst) {
            self.freed.notify_one();
        }
    }
}

impl Level {
    pub(crate) fn now(&self) -> i64 {
        self.level.load(SeqCst)
    }

    /// Has the intake woken at this level. True: it is there already, and nobody need come by again.
    pub(crate) fn set_mark(&self, mark: i64) -> bool {
        self.mark.store(mark.max(NO_MARK), SeqCst);
        self.now() <= mark
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn the_one_that_reaches_the_mark_wakes() {
        let room = Room::new();
        (0..5).for_each(|_| room.came());
        assert!(!room.waiting.set_mark(3));
        room.begun();
        assert!(room.freed.notified().now_or_never().is_none());
        room.begun();
        assert!(room.freed.notified().now_or_never().is_some());
        room.begun();
        assert!(room.freed.notified().now_or_never().is_none(), "once");
        assert!(room.waiting.set_mark(2) && room.waiting.set_mark(3), "there already");
        assert_eq!((room.waiting.now(), room.in_flight.now()), (2, 5));
    }

    #[test]
    fn no_mark_is_never_reached() {
        let room = Room::new();
        room.came();
        assert!(!room.in_flight.set_mark(-7));
        room.over();
        assert!(room.freed.notified().now_or_never().is_none());
    }
}
