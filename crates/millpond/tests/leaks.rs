//! Nothing is left of a pool that has gone.

mod common;

use common::{io_drivers, pools_on, unhung};
use std::{fs, thread};

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

fn resident_bytes() -> usize {
    let pages: usize =
        fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn threads() -> usize {
    fs::read_dir("/proc/self/task").unwrap().count()
}

/// Returns once those that have been joined are out of the kernel's list: a join returns when the kernel has cleared the
/// thread's id, a moment before.
fn threads_settle_at(expected: usize) {
    while threads() != expected {
        thread::yield_now();
    }
}

/// A pool with an accept, a read, a timer, a poll and a wait for another thread in flight, dropped or drained.
fn one(round: usize) {
    // On the first of those with I/O: what is in flight is what matters here.
    let pool = pools_on(io_drivers(), 2).next().unwrap();
    let (kept, gate) = flume::bounded::<()>(1);
    let (ready, is_ready) = flume::bounded::<()>(8);
    for worker in pool.workers() {
        let (gate, ready) = (gate.clone(), ready.clone());
        let started = pool.spawn_on(*worker, move || async move {
            let listener = monoio::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let accepting = millpond::spawn_local(async move {
                // Accepted for certain before the pool ends: monoio leaks the socket of an accept that is dropped in the
                // moment of its success.
                let (mut stream, _) = listener.accept().await.unwrap();
                drop(millpond::spawn_local(async move { listener.accept().await.map(drop) }));
                ready.send_async(()).await.unwrap();
                // Nothing comes: the read stays with the kernel, and its buffer too.
                let _ = monoio::io::AsyncReadRent::read(&mut stream, vec![0; 4096]).await;
            });
            drop(accepting);
            let connected = monoio::net::TcpStream::connect(address).await.unwrap();
            drop(millpond::spawn_local(monoio::time::sleep(std::time::Duration::from_secs(3600))));
            let _ = gate.recv_async().await;
            drop(connected);
            std::future::pending::<()>().await;
        });
        drop(started.unwrap());
    }
    (0..2).for_each(|_| is_ready.recv().unwrap());
    match round % 3 {
        0 => drop(pool),
        1 => drop(pool.shutdown_timeout_blocking(std::time::Duration::ZERO)),
        _ => drop(pool.block_on(async { millpond::spawn(|| async {}).await })),
    }
    drop(kept);
}

#[test]
fn no_fd_thread_or_byte_is_left_after_1000_pools_built_and_dropped_with_io_in_flight() {
    unhung("no_fd_thread_or_byte_is_left", || {
        // Before the first pool: after one, the last of its threads may still be listed.
        let threads_before = threads();
        // The first pools fill caches: of the allocator, of the runtime, of the standard library.
        (0..100).for_each(one);
        threads_settle_at(threads_before);
        let (descriptors_before, resident_before) = (descriptors(), resident_bytes());
        (0..1_000).for_each(one);
        assert_eq!(descriptors(), descriptors_before);
        threads_settle_at(threads_before);
        // A leak of one page for each pool would be 4 MB; monoio itself leaks 24 bytes for each runtime.
        let grown = resident_bytes().saturating_sub(resident_before);
        assert!(grown < 2 << 20, "{grown} bytes are left of 1000 pools");
    });
}
