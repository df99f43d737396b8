//! The name of a worker.

use std::fmt;

/// Which worker of which pool.
///
/// [`Handle::workers`](crate::Handle::workers) lists a pool's; [`worker_id`](crate::worker_id()) is the present one.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = millpond::Pool::builder().worker_threads(2).build()?;
/// let second = pool.workers()[1];
/// let here = pool.spawn_on(second, || async { millpond::worker_id() })?;
/// assert_eq!(here.join()?, second);
/// assert_eq!(second.index(), 1);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WorkerId {
    /// The pool, so that another pool's worker is told apart.
    pub(crate) pool: u32,
    pub(crate) index: u16,
}

impl WorkerId {
    /// The worker's place in its pool, from 0.
    pub fn index(self) -> usize {
        self.index.into()
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {}", self.index)
    }
}

impl fmt::Debug for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WorkerId({} of pool {})", self.index, self.pool)
    }
}
