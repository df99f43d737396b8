// The job may outlive the function that spawned it.
#[millpond::main]
async fn main() {
    let name = String::from("pond");
    let wrote = millpond::spawn(|| async { println!("{name}") });
    wrote.await.unwrap();
}
