//! A pool that is broken on purpose: its driver forgets a signal that comes before the wait. shuttle must find that its
//! workers then sleep beside their work, or the success of the sound pools would say nothing.

use super::explore;
use crate::{
    DriverKind,
    driver::{Driver, Port, Signal},
    hooks::Hooks,
    launch::{Plan, launch_on},
    sync::{Condvar, Mutex, lock, wait},
};
use std::{
    future::Future,
    io,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::Instant,
};

struct Lossy(Arc<Fleeting>);

struct LossyPort;

/// Heard by the one that waits already, and by nobody else.
struct Fleeting {
    lock: Mutex<()>,
    changed: Condvar,
}

impl Signal for Fleeting {
    fn notify(&self) {
        self.changed.notify_one();
    }
}

impl Driver for Lossy {
    type Signal = Fleeting;
    type Port = LossyPort;

    fn signal() -> io::Result<Fleeting> {
        Ok(Fleeting { lock: Mutex::new(()), changed: Condvar::new() })
    }

    fn check_room(_signal: &Fleeting, _drivers: usize) -> io::Result<()> {
        Ok(())
    }

    fn new(signal: &Arc<Fleeting>, _ring_entries: u32) -> io::Result<Lossy> {
        Ok(Lossy(Arc::clone(signal)))
    }

    fn run<F: Future>(&mut self, make_loop: impl FnOnce(LossyPort) -> F) -> io::Result<F::Output> {
        let mut event_loop = pin!(make_loop(LossyPort));
        loop {
            if let Poll::Ready(output) = event_loop.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                return Ok(output);
            }
            // Ended by `notify`, and missed if that came during the poll. This is the fault.
            drop(wait(&self.0.changed, lock(&self.0.lock)));
        }
    }

    fn dispose(self, _quiet: bool) {}
}

impl Port for LossyPort {
    fn poll_wait(&mut self, _cx: &mut Context<'_>, _deadline: Option<Instant>) -> Poll<()> {
        Poll::Pending
    }

    fn poll_turn(&mut self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    async fn quiesce(self) -> bool {
        true
    }
}

#[test]
#[should_panic(expected = "deadlock")]
fn shuttle_catches_a_driver_that_forgets_a_signal() {
    explore(|| {
        let plan = Plan {
            pins: vec![None],
            allowance: None,
            thread_name: "lossy".to_owned(),
            queue_capacity: 1,
            max_tasks_per_worker: usize::MAX,
            ring_entries: 1,
            hooks: Hooks::default(),
            states: Vec::new(),
            stall_threshold: None,
        };
        let pool = launch_on::<Lossy>(&plan, DriverKind::Park).expect("a pool starts");
        pool.spawn(|| async {}).join().unwrap();
        pool.shutdown_blocking();
    });
}
