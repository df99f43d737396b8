//! The plan: which cases there are, and in which order they are measured.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::against;
use crate::alloc::Allocator;
use crate::child;
use crate::contender::Contender;
use crate::contenders;
use crate::machine;
use crate::measure::{Case, Failure, Metric, Outcome, Size};
use crate::plan::{Plan, Task};
use crate::progress::Progress;
use crate::publish::{self, Publish};
use crate::results::Results;
use crate::rows::{self, REFERENCE};
use crate::syscalls;
use crate::table;
use crate::units::counted;
use crate::workloads::{WORKLOADS, Workload};

/// One table: a workload with one setting on one allocator, and all contenders beside each other.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) workload: &'static Workload,
    pub(crate) case: Case,
    pub(crate) allocator: Allocator,
    pub(crate) rows: Vec<Row>,
    most_runs: usize,
    limit: Duration,
    /// What the last round over the rows took; tells whether another one fits.
    took: Duration,
}

/// One contender's measurements.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) contender: &'static str,
    pub(crate) runs: Vec<Vec<Metric>>,
    /// Taken once, with every allocation counted.
    pub(crate) counted: Vec<Metric>,
    /// Why it was given up.
    pub(crate) failed: Option<Failure>,
}

/// Measures everything that `plan` names. An error says which contenders failed, after the report.
pub(crate) fn all(plan: &Plan) -> Result<(), String> {
    // Read first: this run's rows may go to the same file.
    let earlier = plan.against.as_deref().map(Results::read).transpose()?;
    let header = machine::header(plan);
    println!("{header}");
    let warnings = header["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str);
    warnings.for_each(|warning| eprintln!("bench: {warning}"));
    syscalls::refusal().inspect(|why| eprintln!("bench: system calls are not counted: {why}"));
    let mut groups = groups(plan, &contenders::all());
    prepare(&groups, plan.size)?;
    measure(&mut groups, plan);
    groups.iter().for_each(|group| println!("{}", table::of(group)));
    if plan.size != Size::Smoke || plan.out.is_some() {
        let path = plan.out.clone().unwrap_or_else(|| default_out(plan));
        rows::write(&path, &header, &groups, plan)?;
        publish::run(&Publish::of(&path))?;
        println!("rows: {}, and REPORT.md beside them", shown(&path));
        if let Some(earlier) = &earlier {
            println!("{}", against::comparison(earlier, &Results::read(&path)?));
        }
    }
    let failures: Vec<String> = groups.iter().flat_map(Group::failures).collect();
    if failures.is_empty() { Ok(()) } else { Err(format!("failed:\n  {}", failures.join("\n  "))) }
}

fn groups(plan: &Plan, contenders: &[Contender]) -> Vec<Group> {
    let wanted = |names: &[String], name: &str| names.is_empty() || names.iter().any(|known| known == name);
    let mut groups = Vec::new();
    for workload in WORKLOADS.iter().filter(|workload| wanted(&plan.workloads, workload.name)) {
        let counts = if plan.workers.is_empty() { workload.workers } else { &plan.workers };
        let possible = workload.fewest_workers..=workload.most_workers;
        for &workers in counts.iter().filter(|workers| possible.contains(workers)) {
            for &variant in workload.variants {
                let rows = contenders
                    .iter()
                    .filter(|contender| wanted(&plan.contenders, contender.name))
                    .filter(|contender| contender.takes_part(workload.name, variant))
                    .map(|contender| contender.name);
                let rows: Vec<&str> = rows.collect();
                let case = Case { workers, variant, size: plan.size };
                let allocators = plan.allocators().into_iter().filter(|&allocator| {
                    // Who asks for it by name gets it for all.
                    let matters = workload.allocator_matters || plan.allocator.is_some();
                    matters || allocator == Allocator::System
                });
                groups.extend(allocators.map(|allocator| Group::new(workload, case, allocator, &rows)));
            }
        }
    }
    groups.retain(|group| group.most_runs > 0 && !group.rows.is_empty());
    groups
}

/// By this program: what it writes is the same on any allocator.
fn prepare(groups: &[Group], size: Size) -> Result<(), String> {
    let mut workloads: Vec<&Workload> = groups.iter().map(|group| group.workload).collect();
    workloads.dedup_by_key(|workload| workload.name);
    workloads.into_iter().try_for_each(|workload| (workload.prepare)(size))
}

/// One round is each case once. The rounds are outermost, so that what the machine does meanwhile meets all contenders
/// alike, and so that the time, when it ends, has been shared out fairly.
fn measure(groups: &mut [Group], plan: &Plan) {
    let started = Instant::now();
    let cases = groups.iter().map(|group| group.rows.len()).sum();
    let mut progress = Progress::new(cases, plan);
    for round in 0..plan.runs {
        for group in groups.iter_mut() {
            let too_long = round > 0 && started.elapsed() + group.took > plan.limit;
            if too_long || round >= group.most_runs {
                progress.passed_over(group.rows.len());
                continue;
            }
            group.measure_once(round, &mut progress);
        }
    }
    progress.end();
}

impl Group {
    fn new(
        workload: &'static Workload,
        case: Case,
        allocator: Allocator,
        contenders: &[&'static str],
    ) -> Self {
        let row = |&contender| Row { contender, runs: Vec::new(), counted: Vec::new(), failed: None };
        let rows = contenders.iter().map(row).collect();
        let most_runs = (workload.most_runs)(case, allocator);
        // A smoke run takes no time, unless it hangs.
        let limit = Duration::from_secs((workload.limit_seconds)(case).min(case.size.of(u64::MAX, 60, 10)));
        Group { workload, case, allocator, rows, most_runs, limit, took: Duration::ZERO }
    }

    /// Each contender once. Each round begins with another one: none is always the one after the same other.
    fn measure_once(&mut self, round: usize, progress: &mut Progress) {
        let started = Instant::now();
        let count = self.rows.len();
        for index in 0..count {
            let index = (index + round) % count;
            progress.begins(self, self.rows[index].contender);
            if self.rows[index].failed.is_none() {
                let outcome = child::run(&self.task(index, self.case.size), self.allocator, self.limit);
                self.rows[index].note(outcome);
                if round == 0 && self.workload.counts_allocations && self.allocator == Allocator::System {
                    self.count(index);
                }
            }
        }
        self.took = started.elapsed();
    }

    /// Allocations cost time to count, so they are counted in a run of their own; they hardly vary, so in a short one.
    fn count(&mut self, index: usize) {
        let size = self.case.size.of(Size::Quick, Size::Quick, Size::Smoke);
        let outcome = child::run(&self.task(index, size), Allocator::Counting, self.limit);
        let row = &mut self.rows[index];
        match outcome {
            Ok(metrics) => {
                row.counted = metrics.into_iter().filter(|metric| metric.name.starts_with("alloc")).collect();
            }
            Err(failure) => row.failed = row.failed.take().or(Some(failure)),
        }
    }

    fn task(&self, index: usize, size: Size) -> Task {
        Task {
            workload: self.workload.name.to_owned(),
            contender: self.rows[index].contender.to_owned(),
            variant: self.case.variant.to_owned(),
            workers: self.case.workers,
            size,
        }
    }

    /// The workload and its setting, in words.
    pub(crate) fn name(&self) -> String {
        let Case { workers, variant, .. } = self.case;
        let workers = counted(workers as u64, "worker");
        let variant = if variant.is_empty() { String::new() } else { format!(", {variant}") };
        format!("{}, {workers}{variant}, {} allocator", self.workload.name, self.allocator.name())
    }

    /// What makes the run fail. That a rival hangs is a figure like another, and so is what a machine does not allow.
    fn failures(&self) -> impl Iterator<Item = String> {
        self.rows.iter().filter_map(|row| match &row.failed {
            Some(Failure::Hung(_)) if !row.contender.starts_with(REFERENCE) => None,
            Some(Failure::Wrong(error) | Failure::Hung(error)) => {
                Some(format!("{}: {}: {error}", self.name(), row.contender))
            }
            Some(Failure::Unable(_)) | None => None,
        })
    }
}

impl Row {
    fn note(&mut self, outcome: Outcome) {
        match outcome {
            Ok(metrics) => self.runs.push(metrics),
            Err(failure) => self.failed = Some(failure),
        }
    }
}

/// A part never takes the place of the whole.
fn default_out(plan: &Plan) -> PathBuf {
    let file = if plan.is_whole() { "latest.json" } else { "partial/latest.json" };
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results").join(file)
}

fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).display().to_string()
}
