// A future in place of the closure that makes it, as other runtimes take it.
#[millpond::main]
async fn main() {
    millpond::spawn(async { 3 });
}
