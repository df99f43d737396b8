//! Typed jobs from one driver, each sent to the pool by itself: Add, Sub, Mul or Div of two operands.
//!
//! ```text
//! $ cargo run --release --example compute -- --jobs 5000000
//! worker 1: 1,000,000 jobs
//! worker 1: 2,000,000 jobs
//! worker 0: 1,000,000 jobs
//! worker 1: 3,000,000 jobs
//! worker          CPU          jobs   share   busy
//! worker 0          0     1,144,399  22.9 % 19.2 %
//! worker 1          1     3,855,601  77.1 % 44.9 %
//! total                   5,000,000 in 0.92 s, 5,447,873 jobs/s
//! Add 1,250,269, Sub 1,249,575, Mul 1,250,203, Div 1,249,953 (by zero 77,803)
//! every answer is right, and the checksum f34b53071e9642e1 is that of one plain loop (0.14 s)
//! ```
//!
//! Jobs as small as these measure the pool's own cost, as the plain loop beside it tells. The driver needs a CPU too; a
//! worker that shares one with it gets less done, and the other takes the jobs.
//!
//! The life of a job: `job` draws it, `driver` spawns it, a worker computes and counts it (`tally`), and the driver awaits
//! its handle and proves the answer by the inverse operation. At the end a broadcast fetches what the workers have
//! counted (`report`); their sum has to be what the plain loop counts over the same jobs.
//!
//! - One division in sixteen is by zero. That is an answer like others, `Err(DivisionByZero)`, and harms nobody.
//! - With `--panic-every N` each Nth job panics. Its own handle says so, and its worker goes on with the next job.
//! - The driver is never more than a window of jobs ahead, so memory does not grow with their number.
//!
//! Each worker says on standard error when it has done another million. The exit status is 1 if an answer is wrong or a
//! job is lost, 2 for a wrong command line.

mod args;
mod driver;
mod job;
mod report;
mod tally;

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use millpond::Pool;

use args::Args;
use job::Jobs;
use report::Report;
use tally::Tally;

const USAGE_STATUS: u8 = 2;

fn main() -> ExitCode {
    let args = match Args::from_env() {
        Ok(args) => args,
        Err(error) => {
            eprintln!("compute: {error}; try --help");
            return USAGE_STATUS.into();
        }
    };
    if args.help {
        print!("{}", args::HELP);
        return ExitCode::SUCCESS;
    }
    match run(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("compute: {error}");
            ExitCode::FAILURE
        }
    }
}

/// True if every job came to its right end, exactly once.
fn run(args: &Args) -> Result<bool, Box<dyn Error>> {
    let started = Instant::now();
    let mut builder = Pool::builder();
    if let Some(workers) = args.workers {
        builder = builder.worker_threads(workers);
    }
    let pool = builder.build()?;
    if args.panic_every.is_some() {
        driver::show_one_panic();
    }

    let settled = pool.block_on(driver::drive(&pool, args));
    let accounts = report::accounts(&pool)?;
    let pooled = started.elapsed();

    let started = Instant::now();
    let expected = expected(args);
    let plain = started.elapsed();

    let report = Report { args, settled, accounts, pooled, expected, plain };
    io::stdout().write_all(report.to_string().as_bytes())?;
    Ok(report.is_right())
}

/// The same jobs on this thread: what the workers should have counted together.
fn expected(args: &Args) -> Tally {
    let mut tally = Tally::default();
    for job in Jobs::new(args.jobs).filter(|job| !args.panics(job)) {
        tally.add(&job, job.answer());
    }
    tally
}
