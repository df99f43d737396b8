// Every mistake is reported, and the body is compiled all the same: its own mistake too.
#[millpond::main(flavour = 1, worker_threads = 0, driver = "epol")]
async fn main() {
    let _number: u32 = "three";
}
