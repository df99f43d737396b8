// Every worker gets a clone of the closure; a `File` has none.
#[millpond::main]
async fn main() {
    let file = std::fs::File::open("hello.txt").unwrap();
    millpond::broadcast(move |_worker| {
        let _file = &file;
        async {}
    });
}
