//! Checksums of files and directory trees, in the format of `b3sum`, read by every worker of a pool
//! through io_uring.
//!
//! ```sh
//! cargo run --release --example checksum -- PATH… >sums
//! cargo run --release --example checksum -- --check sums
//! cargo run --release --features backtrace --example checksum -- --dashboard 127.0.0.1:9900 PATH…
//! ```
//!
//! The life of a file, and where to read about it: `source` finds it (`walk`, `list`); `window` has the pool make
//! a job of it and its neighbours (`hash`, with `buffers`; `pieces` when it is large) and takes the results in
//! order; `report` prints its line (`names`), while `progress` shows how far the
//! workers are (`tally`). `descriptors` says how many files may be open, `interrupt` what Ctrl-C does.

mod args;
mod buffers;
mod descriptors;
mod hash;
mod interrupt;
mod list;
mod names;
mod pieces;
mod progress;
mod report;
mod source;
mod tally;
mod walk;
mod window;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Arc;

use futures_lite::future::or;
use millpond::{Handle, JobOptions, Pin, Pool};
use millpond_dashboard::Dashboard;

use args::Args;
use progress::Progress;
use report::{Report, complain};
use source::Source;
use tally::Tally;

/// The exit status of a program whose reader went away: 128 and the number of SIGPIPE.
const CLOSED_PIPE_STATUS: u8 = 141;

const USAGE_STATUS: u8 = 2;

/// How the work ended, unless it failed.
enum End {
    Done { all_well: bool },
    Interrupted,
}

fn main() -> ExitCode {
    let args = match Args::from_env() {
        Ok(args) => args,
        Err(error) => {
            complain(&format!("{error}; try --help"));
            return USAGE_STATUS.into();
        }
    };
    match run(args) {
        Ok(End::Done { all_well: true }) => ExitCode::SUCCESS,
        Ok(End::Done { all_well: false }) => ExitCode::FAILURE,
        Ok(End::Interrupted) => interrupt::STATUS.into(),
        Err(error) if is_closed_pipe(&*error) => CLOSED_PIPE_STATUS.into(),
        Err(error) => {
            complain(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<End, Box<dyn Error>> {
    if args.help {
        io::stdout().write_all(args::HELP.as_bytes()).map_err(name_stdout)?;
        return Ok(End::Done { all_well: true });
    }
    let interrupted = interrupt::install()?;
    // Not pinned: this is a guest beside other programs, and a pinned worker waits behind whatever else has its CPU. With
    // one CPU of two kept busy by others, 20,000 files of 4 KiB took a fifth less time unpinned.
    let mut builder =
        Pool::builder().pin(Pin::None).max_tasks_per_worker(descriptors::files_in_flight(args.workers));
    if let Some(workers) = args.workers {
        builder = builder.worker_threads(workers);
    }
    let pool = builder.build()?;
    // Goes before the pool, and the page with it.
    let _dashboard = args.dashboard.as_deref().map(|addr| show(&pool, addr)).transpose()?;
    let handle = pool.with_options(JobOptions::new().name("hash"));
    let tally = Arc::new(Tally::new(pool.workers().len()));
    pool.block_on(or(
        async {
            // Ended by the signal handler; should it go without a word, by the work's end beside this.
            match interrupted.recv_async().await {
                Ok(()) => Ok(End::Interrupted),
                Err(_) => std::future::pending().await,
            }
        },
        checksum(&handle, args, tally),
    ))
    // The pool ends here: jobs that are still under way after Ctrl-C are dropped on their workers.
}

/// A live page of the pool, for whoever wants to look inside while the work lasts.
fn show(pool: &Handle, addr: &str) -> Result<Dashboard, Box<dyn Error>> {
    let dashboard = Dashboard::builder().name("checksum").serve(pool, addr);
    let dashboard = dashboard.map_err(|error| format!("--dashboard {addr}: {error}"))?;
    complain(&format!("the pool is shown at {}", dashboard.url()));
    Ok(dashboard)
}

/// Finds, hashes and prints: three stages at once, on the walking thread, the workers and this thread.
async fn checksum(pool: &Handle, args: Args, tally: Arc<Tally>) -> Result<End, Box<dyn Error>> {
    let args = Arc::new(args);
    let progress = Progress::new();
    let (put, items) = flume::bounded(source::AHEAD_ITEMS);
    let source = Source { items: put, tally: tally.clone(), batch: Vec::new() };
    let walking = pool.with_options(JobOptions::new().name("walk")).spawn_blocking({
        let args = args.clone();
        move || source.run(&args)
    });
    if progress.is_shown() {
        let progress = progress.clone();
        // Not awaited: without it the bar has no end to show, and nothing else is lost.
        drop(
            pool.with_options(JobOptions::new().name("count")).spawn_blocking(move || progress.count(&args)),
        );
    }
    let mut report = Report::new(progress.clone());
    let following = async { match progress.follow(&tally).await {} };
    or(window::print(pool, items, tally.clone(), &mut report), following).await.map_err(name_stdout)?;
    // Over already: it held the other end of the channel. Awaited for the panic that it may have met.
    let _ = walking.await?;
    let all_well = report.conclude()?;
    report.table(&tally.table(pool).await);
    Ok(End::Done { all_well })
}

fn name_stdout(error: io::Error) -> Box<dyn Error> {
    match error.kind() {
        ErrorKind::BrokenPipe => error.into(),
        _ => format!("standard output: {error}").into(),
    }
}

fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
