//! Acks that are gathered for a moment.
//!
//! Each write to the connection wakes the server, and on a machine that computes each of these wakes takes a core from a job.
//! So while messages wait here, acks are gathered: until they are many, which their worker then sends, or for a while, and then
//! the intake does. With none waiting each goes at once; and where hundreds wait, jobs are so short that the connection gathers
//! their acks by itself.

use crate::delivery::Delivery;
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// An ack waits at most this long for others. So much later the server learns of it, and by so much more a process that dies has
/// its jobs done again; it is less than a job that takes its time.
pub(crate) const GATHER: Duration = Duration::from_millis(10);

/// What waits is some 50 ms of work: so many are ten thousand a second.
const HUNDREDS: i64 = 500;

/// Enough for a write to be nothing beside them, and few enough for the server to go on meanwhile.
const MANY: usize = 64;

/// One consumer's.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    /// Written by workers, taken by them or the intake.
    list: Mutex<Vec<Arc<Delivery>>>,
    /// Wakes the intake, which then tries what found no room. It keeps a wake that comes before the wait.
    pub(crate) due: Notify,
}

impl Acks {
    /// Whether an ack is to be gathered, with so many messages waiting here.
    pub(crate) fn are_gathered(waiting: i64) -> bool {
        (1..HUNDREDS).contains(&waiting)
    }

    /// Returns those to be sent now.
    pub(crate) fn push(&self, delivery: Arc<Delivery>) -> Vec<Arc<Delivery>> {
        let mut list = self.lock();
        list.push(delivery);
        if list.len() >= MANY { mem::take(&mut *list) } else { Vec::new() }
    }

    /// They cannot be sent without a wait.
    pub(crate) fn put_back(&self, deliveries: impl Iterator<Item = Arc<Delivery>>) {
        self.lock().extend(deliveries);
    }

    pub(crate) fn take(&self) -> Vec<Arc<Delivery>> {
        mem::take(&mut *self.lock())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Delivery>>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::tests::delivery;

    #[test]
    fn acks_are_gathered_until_they_are_many() {
        let acks = Acks::default();
        for sequence in 1..MANY as u64 {
            assert!(acks.push(delivery(sequence, 1)).is_empty());
        }
        let due = acks.push(delivery(MANY as u64, 1));
        assert!(due.len() == MANY && acks.take().is_empty());
        acks.put_back(due.into_iter());
        assert!(!acks.is_empty() && acks.take().len() == MANY);
    }

    #[test]
    fn with_none_waiting_or_hundreds_they_are_not() {
        assert_eq!([0, 1, 100, 10_000].map(Acks::are_gathered), [false, true, true, false]);
    }
}
