//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::alloc::Allocator;
use crate::contenders;
use crate::measure::Size;
use crate::workloads::WORKLOADS;

/// An odd number, so that a median is a figure that was seen; enough that one bad run does not show.
const DEFAULT_RUNS: usize = 5;

/// With two minutes for what was begun when it ended, and for the report, half an hour.
const FULL_LIMIT_MINUTES: f64 = 28.0;
/// The same for a first look of three minutes.
const QUICK_LIMIT_MINUTES: f64 = 2.6;

/// What to do.
#[derive(Debug)]
pub(crate) enum Args {
    Help,
    Run(Plan),
    /// Hidden: what the runner calls itself with.
    Measure(Task),
}

/// What to run. Empty lists mean everything.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) workloads: Vec<String>,
    pub(crate) contenders: Vec<String>,
    pub(crate) workers: Vec<usize>,
    pub(crate) size: Size,
    /// None: both, or with `--quick` the system's.
    pub(crate) allocator: Option<Vec<Allocator>>,
    /// Measurements of each case, if there is time for them.
    pub(crate) runs: usize,
    /// What all measurements together may take; each case is measured once in any case.
    pub(crate) limit: Duration,
    /// Where the rows go, if not to `results/latest.json`, or, for a part of the whole, to `results/partial.json`.
    pub(crate) out: Option<PathBuf>,
}

/// One measurement, as words of a command line.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) workload: String,
    pub(crate) contender: String,
    pub(crate) variant: String,
    pub(crate) workers: usize,
    pub(crate) size: Size,
}

impl Args {
    pub(crate) fn from_env() -> Result<Self, lexopt::Error> {
        let mut parser = Parser::from_env();
        let mut plan = Plan::default();
        let (mut runs, mut minutes) = (None, None);
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => return Ok(Args::Help),
                Arg::Long("measure") => return Ok(Args::Measure(task(&mut parser)?)),
                Arg::Long("quick") => plan.size = Size::Quick,
                Arg::Long("smoke") => plan.size = Size::Smoke,
                Arg::Long("runs") => runs = Some(parser.value()?.parse::<usize>()?.max(1)),
                Arg::Long("minutes") => minutes = Some(parser.value()?.parse::<f64>()?.max(0.0)),
                Arg::Long("allocator") => plan.allocator = Some(allocators(&mut parser)?),
                Arg::Long("out") => plan.out = Some(parser.value()?.into()),
                Arg::Long("contender") => plan.contenders.extend(list(&mut parser)?),
                Arg::Long("workers") => {
                    for word in list(&mut parser)? {
                        plan.workers.push(word.parse().map_err(|_| format!("`{word}` workers"))?);
                    }
                }
                Arg::Value(name) => plan.workloads.push(name.string()?),
                other => return Err(other.unexpected()),
            }
        }
        plan.runs = runs.unwrap_or(plan.size.of(DEFAULT_RUNS, DEFAULT_RUNS, 1));
        plan.limit = match (minutes, runs) {
            (Some(minutes), _) => Duration::from_secs_f64(minutes * 60.0),
            // Who says how often means it.
            (None, Some(_)) => Duration::MAX,
            (None, None) => {
                Duration::from_secs_f64(60.0 * plan.size.of(FULL_LIMIT_MINUTES, QUICK_LIMIT_MINUTES, 0.0))
            }
        };
        plan.check()?;
        Ok(Args::Run(plan))
    }
}

impl Default for Plan {
    fn default() -> Self {
        Plan {
            workloads: Vec::new(),
            contenders: Vec::new(),
            workers: Vec::new(),
            size: Size::Full,
            allocator: None,
            runs: DEFAULT_RUNS,
            limit: Duration::MAX,
            out: None,
        }
    }
}

impl Plan {
    pub(crate) fn allocators(&self) -> Vec<Allocator> {
        let default = || match self.size {
            Size::Full => vec![Allocator::System, Allocator::Mimalloc],
            Size::Quick | Size::Smoke => vec![Allocator::System],
        };
        self.allocator.clone().unwrap_or_else(default)
    }

    /// Everything, at full size: what the committed results are.
    pub(crate) fn is_whole(&self) -> bool {
        let all = self.workloads.is_empty() && self.contenders.is_empty() && self.workers.is_empty();
        all && self.size == Size::Full && self.allocator.is_none()
    }

    fn check(&self) -> Result<(), String> {
        let workloads: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
        known("workload", &self.workloads, &workloads)?;
        let contenders: Vec<&str> = contenders::all().iter().map(|contender| contender.name).collect();
        known("contender", &self.contenders, &contenders)?;
        if self.workers.contains(&0) { Err("0 workers do no work".to_owned()) } else { Ok(()) }
    }
}

impl Task {
    /// The words that [`Args::from_env`] makes this of.
    pub(crate) fn words(&self) -> [String; 6] {
        [
            "--measure".to_owned(),
            self.workload.clone(),
            self.contender.clone(),
            self.variant.clone(),
            self.workers.to_string(),
            self.size.name().to_owned(),
        ]
    }
}

fn task(parser: &mut Parser) -> Result<Task, lexopt::Error> {
    let mut word = || parser.value();
    Ok(Task {
        workload: word()?.string()?,
        contender: word()?.string()?,
        variant: word()?.string()?,
        workers: word()?.parse()?,
        size: match word()?.string()?.as_str() {
            "full" => Size::Full,
            "quick" => Size::Quick,
            "smoke" => Size::Smoke,
            other => return Err(format!("no size is called `{other}`").into()),
        },
    })
}

fn allocators(parser: &mut Parser) -> Result<Vec<Allocator>, lexopt::Error> {
    match parser.value()?.string()?.as_str() {
        "system" => Ok(vec![Allocator::System]),
        "mimalloc" => Ok(vec![Allocator::Mimalloc]),
        "both" => Ok(vec![Allocator::System, Allocator::Mimalloc]),
        other => Err(format!("no allocator is called `{other}`; there are system, mimalloc, both").into()),
    }
}

fn list(parser: &mut Parser) -> Result<Vec<String>, lexopt::Error> {
    Ok(parser.value()?.string()?.split(',').map(str::to_owned).collect())
}

fn known(what: &str, names: &[String], all: &[&str]) -> Result<(), String> {
    match names.iter().find(|name| !all.contains(&name.as_str())) {
        Some(name) => Err(format!("no {what} is called `{name}`; there are {}", all.join(", "))),
        None => Ok(()),
    }
}

pub(crate) fn help() -> String {
    let mut help = "\
millpond beside its rivals: the same workloads, in one run.

Usage: millpond-bench [WORKLOAD…] [OPTIONS]

Options:
  --contender NAME[,…]  only these
  --workers N[,…]       with so many workers, where the workload makes sense with them
  --allocator NAME      system, mimalloc, or both (the default; with --quick, system)
  --runs N              measurements of each case; by default 5, or as many as half an hour allows
  --minutes N           no new measurement after so many minutes; each case is measured once in any case
  --quick               fewer jobs, within three minutes
  --smoke               hardly any, once: does everything run, and answer rightly?
  --out FILE            where the rows go; by default results/latest.json, or results/partial.json for a part

Workloads:
"
    .to_owned();
    for workload in WORKLOADS {
        help += &format!("  {:<12} {}\n", workload.name, workload.about);
    }
    help += "\nContenders:\n";
    for contender in contenders::all() {
        help += &format!("  {}\n", contender.name);
    }
    help
}
