#[millpond::test(pin = true)]
async fn word() {}

#[millpond::test(thread_name = 7)]
async fn text() {}

#[millpond::test(queue_capacity = 1.5)]
async fn fraction() {}

#[millpond::test(ring_entries = 64u32)]
async fn suffix() {}

#[millpond::main(worker_threads = "3")]
async fn main() {}
