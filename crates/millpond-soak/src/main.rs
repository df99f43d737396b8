//! Random work for millpond pools, for as long as asked, with every job counted.
//!
//! Round after round builds a pool (`round`), lets threads send it jobs of all kinds, abort them and drop their handles
//! (`actor`, `work`, `io`), while others wake what they find (`wakers`), ends the pool in one way or another, and checks
//! that every job did what its handle says, once, and that the receipt adds up (`ledger`). Between rounds the process
//! must hold what it held before (`process`); and if nothing moves, the watchdog says what was under way (`watch`).

mod actor;
mod args;
mod counts;
mod io;
mod ledger;
mod process;
mod round;
mod wakers;
mod watch;
mod work;

use std::{
    fs::File,
    io::Write,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Threads that wake jobs.
const WAKER_THREADS: u64 = 2;
/// The first part of a run fills caches: of the allocator, which keeps an arena for each thread that was alive at one
/// time, of the runtime and of the standard library.
const WARM_UP_SHARE: u32 = 4;
const WARM_UP_MAX: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let args = match args::parse() {
        Ok(args) => args,
        Err(error) => {
            eprintln!("millpond-soak: {error}; --help says what there is");
            return ExitCode::from(2);
        }
    };
    println!("seed {}, from round {}, for {:?}", args.seed, args.first_round, args.length);
    match soak(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            wrong.iter().for_each(|what| eprintln!("{what}"));
            ExitCode::FAILURE
        }
    }
}

fn soak(args: args::Args) -> Result<(), Vec<String>> {
    let begun = Instant::now();
    watch::start(args.seed);
    let scratch = Arc::new(scratch().map_err(|error| vec![format!("no scratch file: {error}")])?);
    let kept = Arc::default();
    let stop = Arc::new(AtomicBool::new(false));
    let wakers: Vec<_> = (0..WAKER_THREADS)
        .map(|number| wakers::start(Arc::clone(&kept), Arc::clone(&stop), args.seed ^ number))
        .collect();
    let mut bounds = process::Bounds::new((args.length / WARM_UP_SHARE).min(WARM_UP_MAX), args.growth_bytes);
    let mut found = Vec::new();
    for number in args.first_round.. {
        watch::ROUNDS.store(number, Relaxed);
        // A seed for each round, so that one can be had back alone.
        let seed = fastrand::Rng::with_seed(args.seed.wrapping_add(number)).u64(..);
        let (plan, mut wrong) = round::run(seed, args.workers, &kept, &scratch);
        wrong.extend(bounds.check());
        if !wrong.is_empty() {
            wrong.insert(0, format!("wrong in round {number} of seed {}: {plan}", args.seed));
            found = wrong;
            break;
        }
        if begun.elapsed() >= args.length {
            break;
        }
    }
    stop.store(true, Relaxed);
    // Each ends when it next looks at the mark, in less than a millisecond.
    wakers.into_iter().for_each(|waker| waker.join().expect("a waker does not panic"));
    println!("{}", watch::progress(begun, args.seed));
    println!("{bounds}");
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// A file without a name, with blocks of known bytes.
fn scratch() -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    for block in 0..io::SHARED_BYTES / io::BLOCK_BYTES {
        file.write_all(&[u8::try_from(block).unwrap_or_default(); io::BLOCK_BYTES])?;
    }
    Ok(file)
}
