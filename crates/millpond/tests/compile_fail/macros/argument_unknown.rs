// The argument of another runtime's macro.
#[millpond::main(flavor = "current_thread")]
async fn main() {}
