//! The loops of a pool that are no worker's: those of `block_on`, which come and go.

use super::snapshot::{Flow, flow};
use crate::{
    Receipt,
    remote::Remote,
    shared::Shared,
    sync::unmodelled::{Mutex, lock},
};
use slab::Slab;
use std::sync::Arc;

/// Those of one pool.
#[derive(Default)]
pub(crate) struct Loops(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    live: Slab<Arc<Remote>>,
    /// What has become of the jobs of those that have ended.
    past: Flow,
}

/// A loop's jobs are counted. Dropping it, once the loop has closed, keeps how they ended.
pub(crate) struct Entered {
    shared: Arc<Shared>,
    key: usize,
}

impl Entered {
    pub(crate) fn new(shared: Arc<Shared>, remote: Arc<Remote>) -> Entered {
        let key = lock(&shared.loops.0).live.insert(remote);
        Entered { shared, key }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let mut inner = lock(&self.shared.loops.0);
        let remote = inner.live.remove(self.key);
        inner.past.add(flow(&remote.counters));
    }
}

impl Loops {
    pub(super) fn flow(&self) -> Flow {
        let inner = lock(&self.0);
        let mut all = inner.past;
        inner.live.iter().for_each(|(_, remote)| all.add(flow(&remote.counters)));
        all
    }

    /// How the jobs ended of the loops that have closed.
    pub(crate) fn receipt(&self) -> Receipt {
        lock(&self.0).past.ended.receipt()
    }
}
