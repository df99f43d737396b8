//! The plan: which cases there are, and in which order they are measured.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::args::{Plan, Task};
use crate::child;
use crate::contender::Contender;
use crate::contenders;
use crate::machine;
use crate::measure::{Metric, Size};
use crate::report;
use crate::workloads::{WORKLOADS, Workload};

/// One table: a workload with one setting, and all contenders beside each other.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) workload: &'static Workload,
    pub(crate) workers: usize,
    pub(crate) variant: &'static str,
    pub(crate) rows: Vec<Row>,
}

/// One contender's measurements.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) contender: &'static str,
    pub(crate) runs: Vec<Vec<Metric>>,
    /// Why it was given up: an answer was wrong, or it hung.
    pub(crate) failed: Option<String>,
}

/// Measures everything that `plan` names. An error says how many contenders failed, after the report.
pub(crate) fn all(plan: &Plan) -> Result<(), String> {
    let header = machine::header(plan);
    println!("{header}");
    if cfg!(debug_assertions) && plan.size != Size::Smoke {
        eprintln!("bench: not optimised: these figures mean nothing; run it with --release");
    }
    let contenders = contenders::all();
    let mut groups = groups(plan, &contenders);
    let mut failures = Vec::new();
    for group in &mut groups {
        group.measure(plan);
        println!("{}", report::table(group));
        for row in &group.rows {
            failures.extend(row.failed.as_ref().map(|error| format!("{}: {error}", row.contender)));
        }
    }
    if plan.size != Size::Smoke || plan.out.is_some() {
        let path = plan.out.clone().unwrap_or_else(latest);
        report::write(&path, &header, &groups, plan)?;
        println!("rows: {}", shown(&path));
    }
    if failures.is_empty() { Ok(()) } else { Err(format!("failed: {}", failures.join("; "))) }
}

fn groups(plan: &Plan, contenders: &[Contender]) -> Vec<Group> {
    let wanted = |names: &[String], name: &str| names.is_empty() || names.iter().any(|known| known == name);
    let mut groups = Vec::new();
    for workload in WORKLOADS.iter().filter(|workload| wanted(&plan.workloads, workload.name)) {
        let counts = if plan.workers.is_empty() { workload.workers } else { &plan.workers };
        let possible = workload.fewest_workers..=workload.most_workers;
        for &workers in counts.iter().filter(|workers| possible.contains(workers)) {
            for variant in workload.variants {
                let rows: Vec<Row> = contenders
                    .iter()
                    .filter(|contender| wanted(&plan.contenders, contender.name))
                    .filter(|contender| contender.run_of(workload.name).is_some())
                    .map(|contender| Row { contender: contender.name, runs: Vec::new(), failed: None })
                    .collect();
                groups.push(Group { workload, workers, variant, rows });
            }
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    groups
}

impl Group {
    /// All contenders once, then all again: what the machine does meanwhile meets them alike.
    fn measure(&mut self, plan: &Plan) {
        for _ in 0..plan.runs {
            for row in self.rows.iter_mut().filter(|row| row.failed.is_none()) {
                let task = Task {
                    workload: self.workload.name.to_owned(),
                    contender: row.contender.to_owned(),
                    variant: self.variant.to_owned(),
                    workers: self.workers,
                    size: plan.size,
                };
                let started = Instant::now();
                match child::run(&task) {
                    Ok(metrics) => row.runs.push(metrics),
                    Err(error) => row.failed = Some(error),
                }
                if plan.size == Size::Smoke && started.elapsed().as_secs() >= 5 {
                    eprintln!("bench: {task:?} took {:?}", started.elapsed());
                }
            }
        }
    }
}

fn latest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results/latest.json")
}

fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
