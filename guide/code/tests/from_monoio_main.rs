//! The pieces of the chapter "From `monoio::main`".

use millpond::Pool;
use std::{cell::Cell, rc::Rc};

#[test]
fn a_body_for_each_worker_is_a_broadcast() {
    let pool = Pool::builder().worker_threads(3).build().expect("three workers start");
    // ANCHOR: broadcast
    let on_each = pool.broadcast(|worker| async move { worker.index() });
    let indices: Vec<usize> = on_each.join().into_iter().map(|index| index.expect("it ran")).collect();
    assert_eq!(indices, [0, 1, 2]);
    // ANCHOR_END: broadcast
}

// ANCHOR: local
#[millpond::main(worker_threads = 2)]
async fn count_beside() -> u32 {
    let count = Rc::new(Cell::new(0)); // an `Rc`: it stays on this thread
    let theirs = Rc::clone(&count);
    let beside = millpond::spawn_local(async move { theirs.set(theirs.get() + 1) });
    beside.await.expect("it did not panic");
    count.get()
}
// ANCHOR_END: local

#[test]
fn a_local_task_shares_the_state_of_its_thread() {
    assert_eq!(count_beside(), 1);
}
