//! A runtime that is dropped while an operation is in flight leaves descriptors behind.

use std::process::ExitCode;

use monoio::io::AsyncReadRent;
use monoio::net::UnixStream;
use traps_seen::{descriptors, shown};

fn main() -> ExitCode {
    // ANCHOR: dropped
    let before = descriptors();
    for _ in 0..20 {
        read_for_ever();
    }
    let left = descriptors() - before;
    println!("20 runtimes were made and dropped, and left {left} descriptors");
    // ANCHOR_END: dropped
    shown(left >= 20)
}

// ANCHOR: read
#[monoio::main]
async fn read_for_ever() {
    let (mut here, _there) = UnixStream::pair().expect("there are descriptors");
    monoio::spawn(async move { here.read(vec![0; 64]).await.0 });
    // The task gets its turn, and begins to read. Then the body ends, and so does the runtime.
    monoio::spawn(async {}).await;
}
// ANCHOR_END: read
