#[millpond::test]
async extern "C" fn checks() {}

#[millpond::main]
async unsafe fn main() {}
