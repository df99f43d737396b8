//! The CPUs of the contenders' threads: the same as those of a millpond pool.

use std::thread::{self, JoinHandle};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The CPU that millpond binds its worker `index` to. None beyond their number: those are not bound.
pub(crate) fn cpu_of_worker(index: usize) -> Option<usize> {
    cpus().get(index).copied()
}

/// Those that the calling thread may use, in ascending order.
pub(crate) fn cpus() -> Vec<usize> {
    let mask = sched_getaffinity(None).expect("the affinity mask can be read");
    (0..CpuSet::MAX_CPU).filter(|&cpu| mask.is_set(cpu)).collect()
}

/// Binds the calling thread as millpond binds its worker `index`. To be called before any thread is bound, or with a
/// CPU that was chosen then: a bound thread's mask holds one CPU.
pub(crate) fn pin(cpu: Option<usize>) {
    if let Some(cpu) = cpu {
        let mut mask = CpuSet::new();
        mask.set(cpu);
        sched_setaffinity(None, &mask).expect("the CPU is one of the mask");
    }
}

/// Starts as many threads, each bound as millpond binds the worker of its number.
pub(crate) fn spawn_bound<T, B>(workers: usize, body: B) -> Vec<JoinHandle<T>>
where
    T: Send + 'static,
    B: Fn(usize) -> T + Clone + Send + 'static,
{
    let spawn = |index| {
        let (body, cpu) = (body.clone(), cpu_of_worker(index));
        thread::spawn(move || {
            pin(cpu);
            body(index)
        })
    };
    (0..workers).map(spawn).collect()
}

/// Keeps the calling thread, and all that it starts, to the CPUs of so many workers; to all there are if they are fewer.
pub(crate) fn keep_to_cpus_of(workers: usize) {
    let mut mask = CpuSet::new();
    (0..workers).filter_map(cpu_of_worker).for_each(|cpu| mask.set(cpu));
    sched_setaffinity(None, &mask).expect("the CPUs are some of the mask");
}
