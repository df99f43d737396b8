//! The command line.

use std::num::NonZeroU64;

use lexopt::prelude::*;

use crate::job::Job;

pub(crate) const HELP: &str = "\
Send typed jobs to a pool, one by one, and check every answer.

Usage: compute [OPTIONS]

Options:
      --jobs N           how many jobs (default: 100000000)
      --workers N        how many workers (default: the CPUs that this process may use)
      --panic-every N    have each Nth job panic
  -h, --help             print this and end

Exit status: 0, or 1 when an answer was wrong or a job was lost, 2 for a wrong command line.
";

const DEFAULT_JOBS: u64 = 100_000_000;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Args {
    pub(crate) help: bool,
    pub(crate) jobs: u64,
    /// `None` leaves the number to the pool.
    pub(crate) workers: Option<usize>,
    pub(crate) panic_every: Option<u64>,
}

impl Args {
    pub(crate) fn from_env() -> Result<Self, lexopt::Error> {
        let mut args = Self { help: false, jobs: DEFAULT_JOBS, workers: None, panic_every: None };
        let mut parser = lexopt::Parser::from_env();
        while let Some(arg) = parser.next()? {
            match arg {
                Short('h') | Long("help") => args.help = true,
                Long("jobs") => args.jobs = parser.value()?.parse()?,
                Long("workers") => args.workers = Some(parser.value()?.parse()?),
                Long("panic-every") => args.panic_every = Some(parser.value()?.parse::<NonZeroU64>()?.get()),
                other => return Err(other.unexpected()),
            }
        }
        Ok(args)
    }

    /// Whether this job is one of those that are to panic.
    pub(crate) fn panics(&self, job: &Job) -> bool {
        self.panic_every.is_some_and(|every| job.number % every == 0)
    }

    /// How many jobs are to panic.
    pub(crate) fn panics_in_all(&self) -> u64 {
        self.panic_every.map_or(0, |every| self.jobs / every)
    }
}
