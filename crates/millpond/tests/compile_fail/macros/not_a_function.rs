#[millpond::test]
mod tests {}

trait Run {
    #[millpond::main]
    async fn run();
}

#[millpond::main]
struct Main;

fn main() {}
