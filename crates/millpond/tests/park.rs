//! The driver without I/O: what a pool on it needs, and what it does to those who ask for I/O all the same.

#[path = "common/alone.rs"]
mod alone;
#[path = "common/child.rs"]
#[allow(dead_code)] // Not what a process holds.
mod child;
mod common;

use alone::alone;
use common::{unhung, yield_now};
use millpond::{Builder, Driver, DriverKind, Pin, Pool};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter_all_threads};
use std::{collections::BTreeMap, env::consts::ARCH, thread, time::Duration};

fn builder(workers: usize) -> Builder {
    Pool::builder().worker_threads(workers).pin(Pin::None).driver(Driver::Park)
}

fn parked(workers: usize) -> Pool {
    builder(workers).build().expect("a pool starts")
}

/// From here on each of these calls ends the process.
fn forbid(calls: &[i64]) {
    let calls: BTreeMap<i64, _> = calls.iter().map(|call| (*call, Vec::new())).collect();
    let (else_, forbidden) = (SeccompAction::Allow, SeccompAction::KillProcess);
    let filter = SeccompFilter::new(calls, else_, forbidden, ARCH.try_into().unwrap()).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    apply_filter_all_threads(&program).unwrap();
}

/// The kernel is asked for no descriptor, no limit and no affinity: threads, locks and memory are all it takes.
#[test]
fn a_pool_without_io_needs_threads_and_locks_only() {
    alone(module_path!(), "a_pool_without_io_needs_threads_and_locks_only", || {
        forbid(&[
            libc::SYS_capget,
            libc::SYS_epoll_create1,
            libc::SYS_eventfd2,
            libc::SYS_io_uring_setup,
            libc::SYS_openat,
            libc::SYS_prlimit64,
            libc::SYS_sched_setaffinity,
        ]);
        // The watch for stalls runs too. It reads files on suspicion only, which a poll of a busy machine could be.
        let pool = builder(2).stall_threshold(Duration::from_secs(3600)).build().unwrap();
        assert_eq!(pool.driver(), DriverKind::Park);
        let job = pool.spawn(|| async {
            yield_now().await;
            let beside = millpond::spawn_local(async { 1 }).await.unwrap();
            beside + millpond::spawn_blocking(|| 2).await.unwrap()
        });
        assert_eq!(pool.block_on(job).unwrap(), 3);
        let (sender, receiver) = flume::bounded::<u32>(0);
        let waiting = pool.spawn(move || async move { receiver.recv_async().await.unwrap() });
        thread::spawn(move || sender.send(4).unwrap()).join().unwrap();
        assert_eq!(waiting.join().unwrap(), 4);
        assert_eq!(pool.shutdown_blocking().completed, 4);
    });
}

#[test]
fn a_job_that_asks_for_io_where_there_is_none_panics_and_harms_no_other() {
    unhung("a_job_that_asks_for_io_where_there_is_none_panics_and_harms_no_other", || {
        let pool = parked(1);
        let file = pool.spawn(|| async { monoio::fs::File::open("/proc/self/exe").await.map(drop) });
        assert!(file.join().unwrap_err().is_panic());
        let timer = pool.spawn(|| monoio::time::sleep(std::time::Duration::ZERO));
        assert!(timer.join().unwrap_err().is_panic());
        assert_eq!(pool.spawn(|| async { 1 }).join().unwrap(), 1, "the worker goes on");
    });
}

/// A job may use up the token of its thread's own `park`; the worker's sleep must not be ended, nor kept up, by it.
#[test]
fn a_job_that_parks_its_thread_does_not_take_the_workers_wakes() {
    unhung("a_job_that_parks_its_thread_does_not_take_the_workers_wakes", || {
        let pool = parked(1);
        for _ in 0..1_000 {
            let (sender, receiver) = flume::bounded::<()>(0);
            let job = pool.spawn(move || async move {
                thread::current().unpark();
                thread::park();
                receiver.recv_async().await.unwrap();
            });
            sender.send(()).unwrap();
            job.join().unwrap();
        }
    });
}
