//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Error, Parser, ValueExt};

use crate::alloc::Allocator;
use crate::contenders;
use crate::measure::Size;
use crate::plan::{Plan, Task};
use crate::publish::Publish;
use crate::workloads::WORKLOADS;
use crate::workloads::serve::Order;

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
    /// Measures nothing: tells what a rows file has.
    Publish(Publish),
    /// Hidden: what the runner calls itself with.
    Measure(Task),
    /// Hidden: what the workload `serve` calls the client of its server with.
    Load(Order),
}

/// What was said, before it is known what it asks for.
#[derive(Debug, Default)]
struct Words {
    plan: Plan,
    runs: Option<usize>,
    minutes: Option<f64>,
    report: Option<PathBuf>,
    readme: Option<PathBuf>,
    check: bool,
}

impl Args {
    pub(crate) fn from_env() -> Result<Self, Error> {
        let mut parser = Parser::from_env();
        let mut words = Words::default();
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => return Ok(Args::Help),
                Arg::Long("measure") => return Ok(Args::Measure(task(&mut parser)?)),
                Arg::Long("load") => return Ok(Args::Load(order(&mut parser)?)),
                Arg::Value(name) => words.plan.workloads.push(name.string()?),
                Arg::Long(option) => {
                    let option = option.to_owned();
                    words.option(&option, &mut parser)?;
                }
                other => return Err(other.unexpected()),
            }
        }
        words.args().map_err(Error::from)
    }
}

impl Words {
    fn option(&mut self, option: &str, parser: &mut Parser) -> Result<(), Error> {
        match option {
            "quick" => self.plan.size = Size::Quick,
            "smoke" => self.plan.size = Size::Smoke,
            "runs" => self.runs = Some(parser.value()?.parse::<usize>()?.max(1)),
            "minutes" => self.minutes = Some(parser.value()?.parse::<f64>()?.max(0.0)),
            "allocator" => self.plan.allocator = Some(allocators(parser)?),
            "out" => self.plan.out = Some(parser.value()?.into()),
            "against" => self.plan.against = Some(parser.value()?.into()),
            "report" => self.report = Some(parser.value()?.into()),
            "readme" => self.readme = Some(parser.value()?.into()),
            "check" => self.check = true,
            "contender" => self.plan.contenders.extend(list(parser)?),
            "workers" => {
                for word in list(parser)? {
                    self.plan.workers.push(word.parse().map_err(|_| format!("`{word}` workers"))?);
                }
            }
            other => return Err(Arg::Long(other).unexpected()),
        }
        Ok(())
    }

    fn args(mut self) -> Result<Args, String> {
        if let Some(rows) = self.report {
            if !self.plan.workloads.is_empty() {
                return Err("--report measures nothing, so it takes no workload".to_owned());
            }
            let (readme, against, check) = (self.readme, self.plan.against, self.check);
            return Ok(Args::Publish(Publish { rows, readme, against, check }));
        }
        if self.readme.is_some() || self.check {
            return Err("--readme and --check go with --report".to_owned());
        }
        let size = self.plan.size;
        self.plan.limit = match (self.minutes, self.runs) {
            (Some(minutes), _) => in_minutes(minutes),
            // Who says how often means it.
            (None, Some(_)) => Duration::MAX,
            (None, None) => in_minutes(size.of(FULL_LIMIT_MINUTES, QUICK_LIMIT_MINUTES, 0.0)),
        };
        self.plan.runs = self.runs.unwrap_or(size.of(DEFAULT_RUNS, DEFAULT_RUNS, 1));
        self.plan.check()?;
        Ok(Args::Run(self.plan))
    }
}

fn in_minutes(minutes: f64) -> Duration {
    Duration::from_secs_f64(minutes * 60.0)
}

fn task(parser: &mut Parser) -> Result<Task, Error> {
    let mut word = || parser.value();
    Ok(Task {
        workload: word()?.string()?,
        contender: word()?.string()?,
        variant: word()?.string()?,
        workers: word()?.parse()?,
        size: Size::named(&word()?.string()?)?,
    })
}

fn order(parser: &mut Parser) -> Result<Order, Error> {
    let mut words = [const { String::new() }; Order::WORDS];
    for word in &mut words {
        *word = parser.value()?.string()?;
    }
    Ok(Order::from_words(words)?)
}

fn allocators(parser: &mut Parser) -> Result<Vec<Allocator>, Error> {
    match parser.value()?.string()?.as_str() {
        "system" => Ok(vec![Allocator::System]),
        "mimalloc" => Ok(vec![Allocator::Mimalloc]),
        "both" => Ok(vec![Allocator::System, Allocator::Mimalloc]),
        other => Err(format!("no allocator is called `{other}`; there are system, mimalloc, both").into()),
    }
}

fn list(parser: &mut Parser) -> Result<Vec<String>, Error> {
    Ok(parser.value()?.string()?.split(',').map(str::to_owned).collect())
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
  --out FILE            where the rows go; by default results/latest.json, or results/partial/ for a part
  --against FILE        compares with the rows of an earlier run
  --report FILE         measures nothing: writes REPORT.md and plots beside these rows
  --readme FILE         with --report: writes the section of figures in this README too
  --check               with --report: writes nothing, and fails if anything is not as the rows have it

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
