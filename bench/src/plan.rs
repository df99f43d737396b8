//! What is to be measured: by a run, and by one of its children.

use std::path::PathBuf;
use std::time::Duration;

use crate::alloc::Allocator;
use crate::contenders;
use crate::measure::Size;
use crate::workloads::WORKLOADS;

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
    /// Where the rows go, if not to `results/latest.json`, or, for a part of the whole, to `results/partial/`.
    pub(crate) out: Option<PathBuf>,
    /// An earlier rows file, to compare with in the end.
    pub(crate) against: Option<PathBuf>,
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

impl Default for Plan {
    fn default() -> Self {
        Plan {
            workloads: Vec::new(),
            contenders: Vec::new(),
            workers: Vec::new(),
            size: Size::Full,
            allocator: None,
            runs: 1,
            limit: Duration::MAX,
            out: None,
            against: None,
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

    /// Refuses names that nothing has.
    pub(crate) fn check(&self) -> Result<(), String> {
        let workloads: Vec<&str> = WORKLOADS.iter().map(|workload| workload.name).collect();
        known("workload", &self.workloads, &workloads)?;
        let contenders: Vec<&str> = contenders::all().iter().map(|contender| contender.name).collect();
        known("contender", &self.contenders, &contenders)?;
        if self.workers.contains(&0) { Err("0 workers do no work".to_owned()) } else { Ok(()) }
    }
}

impl Task {
    /// The words that the command line makes this of.
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

fn known(what: &str, names: &[String], all: &[&str]) -> Result<(), String> {
    match names.iter().find(|name| !all.contains(&name.as_str())) {
        Some(name) => Err(format!("no {what} is called `{name}`; there are {}", all.join(", "))),
        None => Ok(()),
    }
}
