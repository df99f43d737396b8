//! A pool that is dropped while operations are in flight lets them come back first.

use std::process::ExitCode;

use monoio::io::AsyncReadRent;
use monoio::net::UnixStream;
use traps_seen::{descriptors, gone};

fn main() -> ExitCode {
    read_for_ever(); // what the first pool opens once for the process is no leak
    // ANCHOR: dropped
    let before = descriptors();
    for _ in 0..20 {
        read_for_ever();
    }
    let left = descriptors() - before;
    println!("20 pools were made and dropped, and left {left} descriptors");
    // ANCHOR_END: dropped
    gone(left == 0)
}

// ANCHOR: read
#[millpond::main(worker_threads = 1)]
async fn read_for_ever() {
    let (began, begun) = flume::bounded(1);
    let _job = millpond::spawn(move || async move {
        let (mut here, _there) = UnixStream::pair().expect("there are descriptors");
        let _reads = millpond::spawn_local(async move { here.read(vec![0; 64]).await.0 });
        millpond::spawn_local(async {}).await.expect("it ran"); // by now the other one reads
        let _ = began.send(());
        std::future::pending::<()>().await;
    });
    begun.recv_async().await.expect("the job has begun"); // then the body ends, and drops the pool
}
// ANCHOR_END: read
