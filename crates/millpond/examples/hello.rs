//! Three workers, and one job: exactly one of them writes the file, and one line is printed.
//!
//! ```text
//! $ cargo run --example hello
//! wrote to file!
//! $ cat hello.txt
//! world
//! ```
//!
//! monoio's own macro means something else by its threads. Each of them runs the whole body:
//!
//! ```
//! #[monoio::main(threads = 3)]
//! async fn main() {
//!     let file = monoio::fs::File::create("hello.txt").await.unwrap();
//!     file.write_all_at(b"world", 0).await.0.unwrap();
//!     println!("wrote to file!");
//! }
//! ```
//!
//! That creates the file three times, writes it three times, and prints three lines:
//!
//! ```text
//! wrote to file!
//! wrote to file!
//! wrote to file!
//! ```
//!
//! Under `#[millpond::main]` the body runs once. What is to run on a worker, the body spawns; what is to run on each of
//! them, it [broadcasts](millpond::broadcast).

use std::io;

#[millpond::main(worker_threads = 3)]
async fn main() -> io::Result<()> {
    let wrote = millpond::spawn(|| async {
        let file = monoio::fs::File::create("hello.txt").await?;
        file.write_all_at(b"world", 0).await.0
    });
    // Ended by the job's end, whatever that is; the outer error would say that the job panicked.
    wrote.await.map_err(io::Error::other)??;
    println!("wrote to file!");
    Ok(())
}
