//! The timers of one loop, whatever its driver: what the futures of [`time`](crate::time) wait for.
//!
//! A tree and no binary heap: most timers are never due, since they are the limits of things that end in time. A tree
//! gives one up as soon as it is dropped, and a heap would keep it until then.

use crate::{
    panics::contain,
    sync::{now, thread_local},
};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
    task::{Context, Poll, Waker},
    time::Instant,
};

thread_local! {
    /// The timers of the loop that this thread runs.
    static CURRENT: RefCell<Option<Rc<Timers>>> = const { RefCell::new(None) };
}

/// Who waits for which instant.
#[derive(Default)]
pub(crate) struct Timers {
    /// Due first, first; of one instant in the order in which they were started.
    waiting: RefCell<BTreeMap<Key, Waker>>,
    /// Timers started so far.
    started: Cell<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    deadline: Instant,
    number: u64,
}

/// One timer of a loop. Dropping it takes it out.
pub(crate) struct Timer {
    timers: Rc<Timers>,
    /// Among the waiting until it has fired.
    key: Key,
}

/// While it lives, the thread has these timers. Dropping it restores what was before.
pub(crate) struct Enter {
    before: Option<Rc<Timers>>,
}

pub(crate) fn enter(timers: Rc<Timers>) -> Enter {
    Enter { before: CURRENT.with(|current| current.replace(Some(timers))) }
}

impl Drop for Enter {
    fn drop(&mut self) {
        let ours = CURRENT.with(|current| current.replace(self.before.take()));
        drop(ours);
    }
}

/// `None` on a thread that runs no loop, or is being torn down.
pub(crate) fn current() -> Option<Rc<Timers>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

impl Timers {
    /// A timer that wakes `waker`, also if it is due already: then when the driver has had its turn.
    pub(crate) fn start(self: &Rc<Self>, deadline: Instant, waker: &Waker) -> Timer {
        let number = self.started.get();
        self.started.set(number + 1);
        let key = Key { deadline, number };
        self.waiting.borrow_mut().insert(key, waker.clone());
        Timer { timers: Rc::clone(self), key }
    }

    /// When the next one is due.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.waiting.borrow().keys().next().map(|key| key.deadline)
    }

    /// Wakes all that are due, in their order. False: none was.
    pub(crate) fn fire(&self) -> bool {
        // The clock is not read for nothing.
        let Some(first) = self.next_deadline() else { return false };
        let now = now();
        while let Some(waker) = self.take_due(now) {
            // A waker of a user's. It may start and drop timers.
            contain(|| waker.wake());
        }
        first <= now
    }

    fn take_due(&self, now: Instant) -> Option<Waker> {
        let mut waiting = self.waiting.borrow_mut();
        let first = waiting.first_entry().filter(|first| first.key().deadline <= now)?;
        Some(first.remove())
    }
}

impl Timer {
    /// It waits for the loop that has these timers.
    pub(crate) fn is_of(&self, timers: &Rc<Timers>) -> bool {
        Rc::ptr_eq(&self.timers, timers)
    }

    /// Ready once it has fired. Until then the waker of the last poll is the one that it wakes.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiting = self.timers.waiting.borrow_mut();
        let Some(waker) = waiting.get_mut(&self.key) else { return Poll::Ready(()) };
        if !waker.will_wake(cx.waker()) {
            let before = std::mem::replace(waker, cx.waker().clone());
            // A user's, whose drop may look in here.
            drop(waiting);
            drop(before);
        }
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let waker = self.timers.waiting.borrow_mut().remove(&self.key);
        drop(waker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{Arc, Mutex},
        task::Wake,
        time::Duration,
    };

    /// Writes its number down.
    struct Note(u32, Arc<Mutex<Vec<u32>>>);

    impl Wake for Note {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    #[test]
    fn those_that_are_due_are_woken_once_and_in_order() {
        let (timers, woken) = (Rc::new(Timers::default()), Arc::default());
        let now = Instant::now();
        let start = |number, after_s| {
            let waker = Waker::from(Arc::new(Note(number, Arc::clone(&woken))));
            timers.start(now + Duration::from_secs(after_s), &waker)
        };
        // Of two for one instant the first started is the first woken. The last two are never due here.
        let _started = [start(1, 0), start(2, 0), start(3, 3600), start(4, 3601)];
        assert!(timers.fire());
        assert_eq!(*woken.lock().unwrap(), [1, 2]);
        assert!(!timers.fire());
        assert_eq!(timers.next_deadline(), Some(now + Duration::from_secs(3600)));
    }

    #[test]
    fn a_dropped_timer_leaves_nothing_behind() {
        let (timers, woken) = (Rc::new(Timers::default()), Arc::default());
        let note = Arc::new(Note(0, Arc::clone(&woken)));
        let timer = timers.start(Instant::now(), &Waker::from(Arc::clone(&note)));
        drop(timer);
        assert_eq!(Arc::strong_count(&note), 1, "its waker has gone with it");
        assert_eq!(timers.next_deadline(), None);
        assert!(!timers.fire());
        assert!(woken.lock().unwrap().is_empty());
    }
}
