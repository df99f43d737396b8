#[millpond::test(driver = "auto", driver = "epoll")]
async fn same_name() {}

#[millpond::main(threads = 3, worker_threads = 4)]
async fn main() {}
