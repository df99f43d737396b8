//! Counts the lines of files by their first words, until the list of files ends or a signal says stop.

use futures_util::future::{self, Either, FutureExt};
use futures_util::{Stream, StreamExt};
use millpond::channel::{self, Receiver};
use millpond::{Handle, Pool, worker_state};
use monoio::buf::IoBufMut;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::thread;
use std::time::Duration;

/// How many lines begin with each word.
type Words = BTreeMap<Vec<u8>, u64>;

/// What a worker has counted.
#[derive(Default)]
struct Counted(RefCell<Words>);

// ANCHOR: lines
/// Calls `each` with every line of a file.
async fn for_each_line(path: &PathBuf, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let file = monoio::fs::File::open(path).await?;
    // At first of a line whose end has not been read: the tail.
    let mut buffer = Vec::with_capacity(64 * 1024);
    let mut position = 0;
    loop {
        let tail = buffer.len();
        if tail == buffer.capacity() {
            buffer.reserve(tail); // a line that is longer
        }
        // Reads behind the tail. The slice comes back, and in it the buffer, as long as
        // the tail and what was read.
        let (read, slice) = file.read_at(buffer.slice_mut(tail..), position).await;
        buffer = slice.into_inner();
        let read = read?;
        if read == 0 {
            if tail > 0 {
                each(&buffer[..tail]); // a last line without an end
            }
            return file.close().await;
        }
        position += read as u64;
        let mut start = 0;
        while let Some(length) = buffer[start..].iter().position(|byte| *byte == b'\n') {
            each(&buffer[start..start + length]);
            start += length + 1;
        }
        buffer.drain(..start);
    }
}
// ANCHOR_END: lines

/// The job: counts a file into its worker's own words.
async fn count(path: PathBuf) -> io::Result<PathBuf> {
    let counted = worker_state::<Counted>();
    for_each_line(&path, |line| {
        let word = line.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        *counted.0.borrow_mut().entry(word.to_vec()).or_default() += 1;
    })
    .await?;
    Ok(path)
}

// ANCHOR: until
/// Counts the files until there are no more, or the sender of `stopped` is dropped. Then no
/// more are taken, and what is in flight has `patience` to finish.
async fn count_until(
    pool: &Handle,
    paths: impl Stream<Item = PathBuf>,
    stopped: Receiver<()>,
    patience: Duration,
) {
    let stop = async move { stopped.recv().await }.shared();
    let source = paths.take_until(stop.clone());
    let mut results = pool.map_unordered(source, 32, count);
    let mut give_up = pin!(stop.then(|_none| millpond::time::sleep(patience)));
    loop {
        match future::select(results.next(), &mut give_up).await {
            Either::Left((Some(Ok(Ok(path))), _)) => println!("counted {}", path.display()),
            Either::Left((Some(Ok(Err(error))), _)) => eprintln!("a file: {error}"),
            Either::Left((Some(Err(error)), _)) => eprintln!("a job: {error}"),
            Either::Left((None, _)) => break, // all have ended
            Either::Right(_) => break,        // the stream's drop aborts what has not
        }
    }
}
// ANCHOR_END: until

// ANCHOR: gather
/// What all workers have counted. No job may be in flight.
async fn gather(pool: &Handle) -> Words {
    let mut total = Words::new();
    // The pool keeps the value itself: `take` leaves an empty one behind.
    for words in pool.broadcast(|_worker| async { worker_state::<Counted>().0.take() }).await {
        for (word, lines) in words.expect("to take does not panic") {
            *total.entry(word).or_default() += lines;
        }
    }
    total
}
// ANCHOR_END: gather

// ANCHOR: main
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (stop, stopped) = channel::bounded(1);
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    thread::spawn(move || {
        signals.forever().next();
        drop(stop);
    });
    let (send, paths) = channel::bounded(64);
    thread::spawn(move || {
        let mut lines = io::stdin().lines().map_while(Result::ok);
        lines.all(|line| send.send_blocking(PathBuf::from(line)).is_ok())
    });

    let pool = Pool::builder().worker_state(|_worker| async { Ok(Counted::default()) }).build()?;
    let words = pool.block_on(async {
        count_until(&pool, paths, stopped, Duration::from_secs(2)).await;
        gather(&pool).await
    });
    pool.shutdown_timeout_blocking(Duration::from_secs(2));
    for (word, lines) in words {
        println!("{lines} {}", String::from_utf8_lossy(&word));
    }
    Ok(())
}
// ANCHOR_END: main
