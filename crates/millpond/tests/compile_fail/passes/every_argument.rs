// Each argument once, and what a job and the body may hold.
use std::rc::Rc;

#[millpond::main(
    worker_threads = 2,
    driver = "epoll",
    pin = "none",
    queue_capacity = 64,
    max_tasks_per_worker = 64,
    ring_entries = 256,
    thread_name = "mill",
    crate = "millpond"
)]
async fn main() -> Result<(), millpond::JoinError> {
    let here = Rc::new(1);
    let there = millpond::spawn(|| async {
        let count = Rc::new(2);
        *count
    });
    assert_eq!(*here + there.await?, 3);
    Ok(())
}
