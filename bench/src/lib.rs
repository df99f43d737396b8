//! millpond beside its rivals.
//!
//! A workload (`workloads/`) says what is done and how it is checked; a contender (`contenders/`) says how it does it.
//! The traits between are `pool::Pool`, `channel::Channel`, `workloads::local::Local` and `workloads::serve::Server`. The
//! runner (`run`) plans the cases and interleaves the contenders; each measurement runs in a process of its own (`child`);
//! `table` shows what came of it, `rows` keeps it, and `publish` makes of kept rows (`results`) what people read.
//!
//! Three programs share all of it, and differ in their allocator: see [`Allocator`].

mod affinity;
mod against;
mod alloc;
mod args;
mod channel;
mod child;
mod contender;
mod contenders;
#[cfg(test)]
mod fixture;
mod latency;
mod machine;
mod measure;
mod memory;
mod plan;
mod plots;
mod pool;
mod progress;
mod publish;
mod readme;
mod report;
mod results;
mod rows;
mod run;
mod standing;
mod stopwatch;
mod syscalls;
mod table;
mod units;
mod workloads;

use std::process::ExitCode;

pub use alloc::{Allocator, Counting};
use args::Args;

/// For arguments that make no sense.
const USAGE_STATUS: u8 = 2;

/// What each of the programs does.
pub fn main() -> ExitCode {
    let outcome = match Args::from_env() {
        Ok(Args::Help) => {
            print!("{}", args::help());
            return ExitCode::SUCCESS;
        }
        Ok(Args::Measure(task)) => return child::measure(&task),
        Ok(Args::Load(order)) => return workloads::serve::ask(&order),
        Ok(Args::Run(plan)) => run::all(&plan),
        Ok(Args::Publish(what)) => publish::run(&what),
        Err(error) => {
            eprintln!("bench: {error}; try --help");
            return USAGE_STATUS.into();
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}
