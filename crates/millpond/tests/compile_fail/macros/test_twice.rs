#[millpond::test]
#[test]
async fn checks() {}

fn main() {}
