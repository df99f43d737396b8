#[millpond::test]
fn checks() {}

#[millpond::main]
fn main() {}
