#[millpond::test(worker_threads = -1)]
async fn below_zero() {}

#[millpond::test(worker_threads = 65536)]
async fn more_than_the_pool_can_number() {}

#[millpond::test(queue_capacity = 0)]
async fn no_queue() {}

#[millpond::test(max_tasks_per_worker = 0)]
async fn no_tasks() {}

#[millpond::test(ring_entries = 0)]
async fn no_ring() {}

#[millpond::test(ring_entries = 32769)]
async fn ring_beyond_the_kernels_limit() {}

#[millpond::main(worker_threads = 0)]
async fn main() {}
