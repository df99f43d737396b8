const WORKERS: usize = 3;

#[millpond::test(worker_threads = 1 + 2)]
async fn sum() {}

#[millpond::test(worker_threads = 3 driver = "epoll")]
async fn without_comma() {}

#[millpond::test(worker_threads = std::cmp::max(1, 2))]
async fn call() {}

#[millpond::main(worker_threads = WORKERS)]
async fn main() {}
