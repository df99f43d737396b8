//! The command line.

use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

use crate::contenders;
use crate::measure::Size;
use crate::workloads::WORKLOADS;

const DEFAULT_RUNS: usize = 5;

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
    pub(crate) runs: usize,
    /// Where the rows go, if not to `results/latest.json`.
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
        let mut plan = Plan {
            workloads: Vec::new(),
            contenders: Vec::new(),
            workers: Vec::new(),
            size: Size::Full,
            runs: DEFAULT_RUNS,
            out: None,
        };
        while let Some(arg) = parser.next()? {
            match arg {
                Arg::Short('h') | Arg::Long("help") => return Ok(Args::Help),
                Arg::Long("measure") => return Ok(Args::Measure(task(&mut parser)?)),
                Arg::Long("quick") => plan.size = Size::Quick,
                Arg::Long("smoke") => (plan.size, plan.runs) = (Size::Smoke, 1),
                Arg::Long("runs") => plan.runs = parser.value()?.parse::<usize>()?.max(1),
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
        plan.check()?;
        Ok(Args::Run(plan))
    }
}

impl Plan {
    fn check(&self) -> Result<(), String> {
        known("workload", &self.workloads, &WORKLOADS.each_ref().map(|workload| workload.name))?;
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
  --runs N              measurements of each case; 5 by default
  --quick               fewer jobs
  --smoke               hardly any, once: does everything run, and answer rightly?
  --out FILE            where the rows go; results/latest.json by default

Workloads:
"
    .to_owned();
    for workload in &WORKLOADS {
        help += &format!("  {:<12} {}\n", workload.name, workload.about);
    }
    help += "\nContenders:\n";
    for contender in contenders::all() {
        help += &format!("  {}\n", contender.name);
    }
    help
}
