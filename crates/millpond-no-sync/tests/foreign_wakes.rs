//! Wakes from other threads arrive, on a monoio that does not pass them on.

#[path = "../../millpond/tests/foreign_wakes.rs"]
mod foreign_wakes;

use monoio::{LegacyDriver, RuntimeBuilder};
use std::{
    future::poll_fn,
    sync::mpsc,
    task::{Poll, Waker},
    thread,
};

/// What the tests of this crate rest on: with `sync` they would prove nothing.
#[test]
fn this_monoio_panics_at_a_wake_from_another_thread() {
    let mut runtime = RuntimeBuilder::<LegacyDriver>::new().build().unwrap();
    let woken = runtime.block_on(async {
        let (leave, left) = mpsc::channel::<Waker>();
        let _idle = monoio::spawn(poll_fn(move |cx| {
            leave.send(cx.waker().clone()).unwrap();
            Poll::<()>::Pending
        }));
        // Runs second, when the task above is idle.
        let waking = async move {
            let waker = left.try_recv().unwrap();
            thread::spawn(move || waker.wake_by_ref()).join()
        };
        monoio::spawn(waking).await
    });
    assert!(woken.is_err(), "monoio is built with `sync`; run `cargo test -p millpond-no-sync` alone");
}
