#[millpond::test(pin = "core")]
async fn pin() {}

#[millpond::test(crate = "not a path")]
async fn path() {}

#[millpond::test(thread_name = "mill\0pond")]
async fn name() {}

#[millpond::main(driver = "legacy")]
async fn main() {}
