#[millpond::test]
async fn checks(_number: u32, _name: &str) {}

#[millpond::main]
async fn main(_arguments: Vec<String>) {}
