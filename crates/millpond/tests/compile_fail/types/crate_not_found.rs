#[millpond::main(crate = "milpond")]
async fn main() {}
