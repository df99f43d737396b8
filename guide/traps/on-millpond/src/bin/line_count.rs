//! Counts the lines of files, on two workers.

use std::path::{Path, PathBuf};

// ANCHOR: main
#[millpond::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = millpond::Handle::current();
    let mut counts = Vec::new();
    for path in std::env::args_os().skip(1).map(PathBuf::from) {
        let shown = path.clone();
        let count = pool.submit(move || async move { lines(&path).await }).await?;
        counts.push((shown, count));
    }
    counts.sort_by(|one, other| one.0.cmp(&other.0));
    for (path, count) in counts {
        println!("{:>7} {}", count.await??, path.display());
    }
    Ok(())
}
// ANCHOR_END: main

// ANCHOR: lines
async fn lines(path: &Path) -> std::io::Result<usize> {
    let bytes = monoio::fs::read(path).await?;
    Ok(bytes.iter().filter(|byte| **byte == b'\n').count())
}
// ANCHOR_END: lines
