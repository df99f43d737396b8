//! Counts the lines of the files that it is given.

// ANCHOR: count
use std::io;
use std::path::PathBuf;

/// The lines of one file.
async fn count_lines(path: PathBuf) -> io::Result<usize> {
    let file = monoio::fs::File::open(&path).await?;
    let mut buffer = vec![0; 64 * 1024];
    let (mut lines, mut position) = (0, 0);
    loop {
        // The buffer goes to the kernel with the read, and comes back with what the
        // read came to.
        let (read, returned) = file.read_at(buffer, position).await;
        buffer = returned;
        let read = read?;
        if read == 0 {
            return Ok(lines);
        }
        lines += buffer[..read].iter().filter(|byte| **byte == b'\n').count();
        position += read as u64;
    }
}
// ANCHOR_END: count

// ANCHOR: main
#[millpond::main]
async fn main() {
    let paths = std::env::args_os().skip(1).map(PathBuf::from);
    let jobs: Vec<_> = paths.map(|path| (path.clone(), millpond::spawn(|| count_lines(path)))).collect();
    for (path, job) in jobs {
        match job.await {
            Ok(Ok(lines)) => println!("{lines} {}", path.display()),
            // The file's own trouble.
            Ok(Err(error)) => eprintln!("{}: {error}", path.display()),
            // The job's: it panicked, say.
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
}
// ANCHOR_END: main
