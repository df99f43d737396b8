//! What each worker did, and whether all of it was right.

use std::fmt;
use std::time::Duration;

use indicatif::HumanCount;
use millpond::{Handle, JoinError, WorkerId};
use rustix::thread::{CpuSet, sched_getaffinity};
use rustix::time::{ClockId, clock_gettime};

use crate::args::Args;
use crate::driver::Settled;
use crate::tally::{self, Tally};

/// What a worker tells of itself.
#[derive(Debug)]
pub(crate) struct Account {
    worker: WorkerId,
    cpus: String,
    cpu_time: Duration,
    tally: Tally,
}

/// All that is printed at the end.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) args: &'a Args,
    /// What the handles said.
    pub(crate) settled: Settled,
    /// What the workers say, in their order.
    pub(crate) accounts: Vec<Account>,
    /// The time from the start of the pool to the last account: no worker was busy for longer.
    pub(crate) pooled: Duration,
    pub(crate) expected: Tally,
    /// The time of the plain loop that made the expected tally.
    pub(crate) plain: Duration,
}

/// Asks each worker for its account. A job counts before it ends: once all are awaited the accounts are complete.
pub(crate) fn accounts(pool: &Handle) -> Result<Vec<Account>, JoinError> {
    let account = |worker| async move {
        Account { worker, cpus: cpus(), cpu_time: cpu_time(), tally: tally::of_this_worker() }
    };
    // Ended by the last worker's answer.
    pool.broadcast(account).join().into_iter().collect()
}

/// Where the present thread may run.
fn cpus() -> String {
    let mask = sched_getaffinity(None).unwrap_or_default();
    let mut cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| mask.is_set(cpu));
    match (cpus.next(), cpus.count()) {
        (None, _) => "?".to_owned(),
        (Some(only), 0) => only.to_string(),
        (Some(_), others) => format!("any of {}", others + 1),
    }
}

/// The CPU time that the present thread has used.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

impl Report<'_> {
    /// The handles tell of wrong answers; the tallies also of a job that ran twice.
    pub(crate) fn is_right(&self) -> bool {
        let Settled { wrong, panicked, lost } = self.settled;
        wrong == 0 && lost == 0 && panicked == self.args.panics_in_all() && self.counted() == self.expected
    }

    fn counted(&self) -> Tally {
        self.accounts.iter().map(|account| account.tally).sum()
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<10} {:>8} {:>13} {:>7} {:>6}", "worker", "CPU", "jobs", "share", "busy")?;
        let all = self.counted().jobs();
        for Account { worker, cpus, cpu_time, tally } in &self.accounts {
            // Formatted on their own: these types ignore the width.
            let (worker, jobs) = (worker.to_string(), HumanCount(tally.jobs()).to_string());
            let share = percent(tally.jobs() as f64, all as f64);
            let busy = percent(cpu_time.as_secs_f64(), self.pooled.as_secs_f64());
            writeln!(f, "{worker:<10} {cpus:>8} {jobs:>13} {share:>7} {busy:>6}")?;
        }
        let (jobs, seconds) = (HumanCount(all).to_string(), self.pooled.as_secs_f64());
        let rate = HumanCount((self.args.jobs as f64 / seconds) as u64);
        writeln!(f, "{:<10} {:>8} {jobs:>13} in {seconds:.2} s, {rate} jobs/s", "total", "")
    }

    fn verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, counted, expected) = (self.plain.as_secs_f64(), self.counted(), self.expected);
        let checksum = counted.checksum;
        if self.is_right() {
            let right = "every answer is right, and the checksum";
            return writeln!(f, "{right} {checksum:016x} is that of one plain loop ({seconds:.2} s)");
        }
        writeln!(f, "NOT right: {} answers wrong, {} jobs lost", self.settled.wrong, self.settled.lost)?;
        writeln!(f, "checksum {checksum:016x}, of one plain loop {:016x}: {expected}", expected.checksum)
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.table(f)?;
        writeln!(f, "{}", self.counted())?;
        if self.args.panic_every.is_some() {
            let [panicked, told] = [self.settled.panicked, self.args.panics_in_all()].map(HumanCount);
            writeln!(f, "{panicked} jobs panicked, of {told} told to; their workers went on")?;
        }
        self.verdict(f)
    }
}

fn percent(part: f64, whole: f64) -> String {
    if whole > 0.0 { format!("{:.1} %", 100.0 * part / whole) } else { "-".to_owned() }
}
