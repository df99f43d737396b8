#[millpond::main]
async fn main() -> u32 {
    3
}
