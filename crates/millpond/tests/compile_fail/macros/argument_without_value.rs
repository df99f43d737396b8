#[millpond::test(worker_threads(3))]
async fn in_parentheses() {}

#[millpond::test("epoll")]
async fn without_name() {}

#[millpond::test(driver = )]
async fn cut_short() {}

#[millpond::main(worker_threads)]
async fn main() {}
