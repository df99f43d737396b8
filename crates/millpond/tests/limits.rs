//! CPUs and threads: a pool takes what the process may use, and says so where more is asked. Masks and limits are set
//! in processes of their own.

#[path = "common/child.rs"]
mod child;

use std::collections::BTreeSet;
use std::thread;

use child::Holdings;
use millpond::{BuildError, Pin, Pool};
use rustix::process::{Resource, Rlimit, getrlimit, getuid, setrlimit};
use rustix::thread::{CpuSet, Uid, sched_getaffinity, sched_setaffinity, set_thread_res_uid};

/// The CPUs the calling thread may run on.
fn mask() -> Vec<usize> {
    let mask = sched_getaffinity(None).unwrap();
    (0..CpuSet::MAX_CPU).filter(|&cpu| mask.is_set(cpu)).collect()
}

/// Binds the calling thread, and all threads it starts, to one CPU.
fn bind_to(cpu: usize) {
    let mut mask = CpuSet::new();
    mask.set(cpu);
    sched_setaffinity(None, &mask).unwrap();
}

/// Each worker's mask, in worker order.
fn worker_masks(pool: &Pool) -> Vec<Vec<usize>> {
    let masks = pool.handle().broadcast(|_| async { mask() }).join();
    masks.into_iter().map(Result::unwrap).collect()
}

fn pinned(pin: Pin, workers: usize) -> Result<Pool, BuildError> {
    Pool::builder().worker_threads(workers).pin(pin).build()
}

/// Whether a cgroup's quota gives less than the mask: then workers run unpinned.
fn quota_limited() -> bool {
    thread::available_parallelism().unwrap().get() < mask().len()
}

#[track_caller]
fn assert_names(error: &BuildError, words: &[&str]) {
    let text = error.to_string();
    for word in words {
        assert!(text.contains(word), "no {word:?} in: {text}");
    }
}

#[test]
fn the_default_is_a_worker_for_each_cpu_of_the_mask() {
    let pool = Pool::new().unwrap();
    assert_eq!(pool.workers().len(), thread::available_parallelism().unwrap().get());
}

#[test]
fn a_mask_of_one_cpu_makes_one_worker_on_that_cpu() {
    child::run("a_mask_of_one_cpu_makes_one_worker_on_that_cpu", || {
        // The last of the mask: a pool that counts from 0 would choose another, where there is another.
        let cpu = *mask().last().unwrap();
        bind_to(cpu);
        let default = Pool::new().unwrap();
        assert_eq!(worker_masks(&default), [[cpu]]);
        let by_core = Pool::builder().pin(Pin::Cores).build().unwrap();
        assert_eq!(worker_masks(&by_core), [[cpu]]);
    });
}

#[test]
fn pin_cores_gives_each_worker_a_cpu_of_its_own() {
    let cpus = mask();
    let pool = pinned(Pin::Cores, cpus.len()).unwrap();
    let masks = worker_masks(&pool);
    if quota_limited() {
        assert!(masks.iter().all(|mask| *mask == cpus), "{masks:?}");
    } else {
        assert!(masks.iter().all(|mask| mask.len() == 1), "{masks:?}");
        assert_eq!(masks.concat().into_iter().collect::<BTreeSet<_>>(), cpus.into_iter().collect());
    }
}

#[test]
fn pin_to_places_workers_in_the_order_of_the_list() {
    let mut cpus = mask();
    cpus.reverse();
    let pool = pinned(Pin::To(cpus.clone()), cpus.len()).unwrap();
    assert_eq!(worker_masks(&pool).concat(), cpus);
}

#[test]
fn pin_none_leaves_the_mask_as_it_is() {
    let pool = pinned(Pin::None, 2).unwrap();
    assert_eq!(worker_masks(&pool), [mask(), mask()]);
}

#[test]
fn building_a_pool_does_not_bind_the_thread_that_builds_it() {
    let before = mask();
    let pool = pinned(Pin::Cores, 1).unwrap();
    assert_eq!(mask(), before);
    assert_eq!(pool.block_on(async { mask() }), before);
}

#[test]
fn a_cpu_outside_the_mask_is_an_error() {
    child::run("a_cpu_outside_the_mask_is_an_error", || {
        let cpu = *mask().last().unwrap();
        bind_to(cpu);
        // One that the machine may well have, one that the kernel's mask has no bit for, and one beyond all counting.
        let outside = if cpu == 0 { 1 } else { 0 };
        for asked in [outside, CpuSet::MAX_CPU, usize::MAX] {
            let before = Holdings::now();
            let error = pinned(Pin::To(vec![cpu, asked]), 2).expect_err("that CPU is not allowed");
            assert_names(&error, &["pin", &format!("CPU {asked}"), &cpu.to_string(), "allowed"]);
            before.assert_restored();
        }
    });
}

#[test]
fn more_workers_than_threads_allowed_is_an_error() {
    for workers in [100_000_000, usize::MAX] {
        let error = pinned(Pin::None, workers).expect_err("no machine runs so many threads");
        assert_names(&error, &["worker_threads", &workers.to_string(), "thread"]);
    }
}

/// Makes this thread one of a user whom the kernel holds to its limit on processes: it does not hold root.
fn become_nobody() {
    const NOBODY: u32 = 65534;
    if getuid().is_root() {
        let nobody = Uid::from_raw(NOBODY);
        set_thread_res_uid(nobody, nobody, nobody).unwrap();
    }
}

#[test]
fn a_thread_that_cannot_start_is_an_error_that_leaves_nothing_behind() {
    child::run("a_thread_that_cannot_start_is_an_error_that_leaves_nothing_behind", || {
        become_nobody();
        let before = Holdings::now();
        // The calling thread is one of the two: at most one worker starts. Asking for three is wrong on the face of
        // it, asking for two shows only when the second does not start.
        setrlimit(Resource::Nproc, Rlimit { current: Some(2), ..getrlimit(Resource::Nproc) }).unwrap();
        for workers in [3, 2] {
            let error = pinned(Pin::None, workers).expect_err("there are no threads left");
            assert_names(&error, &["worker_threads", "thread", "RLIMIT_NPROC"]);
            before.assert_restored();
        }
    });
}

#[test]
#[ignore = "needs a cgroup with a quota of one CPU; `cargo xtask test` makes one"]
fn default_worker_count_respects_the_cgroup_quota() {
    let pool = Pool::new().unwrap();
    assert_eq!(pool.workers().len(), 1, "the mask has {} CPUs", mask().len());
    // A quota of one CPU on a machine with one is no limit, and its worker is pinned there.
    assert_eq!(worker_masks(&pool), [mask()]);
    let by_core = pinned(Pin::Cores, mask().len()).unwrap();
    assert!(worker_masks(&by_core).iter().all(|worker| *worker == mask()), "pinned under a quota");
}
