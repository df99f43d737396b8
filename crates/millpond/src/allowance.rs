//! What the machine grants to a pool: which CPUs, and time on how many.

use crate::{context, cpus};

/// The CPUs and the CPU time that a pool may count on.
#[derive(Clone, Debug)]
pub(crate) struct Allowance {
    /// The affinity mask. Empty where the kernel does not tell it.
    pub(crate) cpus: Vec<usize>,
    /// The workers that the mask and the cgroup's quota have room for.
    pub(crate) workers: usize,
}

impl Allowance {
    /// The calling thread's. A thread of a pool may be bound to one CPU, and then what its pool was granted counts: a pool
    /// that is built in a job is not crowded onto that CPU.
    pub(crate) fn of_this_thread() -> Allowance {
        let of_the_pool = context::with_handle(|pool| pool.shared().allowance.clone()).ok().flatten();
        of_the_pool.unwrap_or_else(|| Allowance {
            cpus: cpus::allowed().unwrap_or_default(),
            workers: cpus::default_worker_threads(),
        })
    }

    /// The quota grants less CPU time than the mask has CPUs.
    pub(crate) fn is_quota_limited(&self) -> bool {
        self.workers < self.cpus.len()
    }
}
