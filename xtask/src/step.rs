//! A step: one named thing that must be true of the project, and the report on a list of them.

use std::fmt;
use std::time::{Duration, Instant};

use crate::workspace::Workspace;

/// One thing to check.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// What `cargo xtask test NAME` calls it.
    pub(crate) name: &'static str,
    /// What is true if it passes.
    pub(crate) holds: &'static str,
    pub(crate) run: fn(&Workspace) -> Outcome,
    /// Whether nothing after it can succeed if it fails.
    pub(crate) gate: bool,
}

pub(crate) type Outcome = Result<(), Stop>;

/// Why a step did not pass.
#[derive(Debug)]
pub(crate) enum Stop {
    /// What it holds true is not.
    Failed(String),
    /// This machine cannot tell, for this reason. No failure, but never silent.
    NotChecked(String),
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Stop::Failed(message)
    }
}

/// What came of a list of steps.
#[derive(Debug)]
pub(crate) struct Report {
    /// The steps that ran, in order.
    rows: Vec<Row>,
    /// The steps after a gate that failed.
    never_ran: Vec<Step>,
}

#[derive(Debug)]
struct Row {
    step: Step,
    took: Duration,
    outcome: Outcome,
}

/// Runs the steps in order, all of them unless a gate fails.
pub(crate) fn run_all(workspace: &Workspace, steps: &[Step]) -> Report {
    let mut rows = Vec::new();
    for (index, &step) in steps.iter().enumerate() {
        println!("\n=== {}: {}", step.name, step.holds);
        let start = Instant::now();
        let outcome = (step.run)(workspace);
        let took = start.elapsed();
        if let Err(Stop::Failed(message)) = &outcome {
            println!("=== {} FAILED: {message}", step.name);
        }
        let shut = step.gate && outcome.is_err();
        rows.push(Row { step, took, outcome });
        if shut {
            return Report { rows, never_ran: steps[index + 1..].to_vec() };
        }
    }
    Report { rows, never_ran: Vec::new() }
}

/// The steps of `list` called `names`, in its order; all of them if there is no name.
pub(crate) fn select(list: &[Step], names: &[&str]) -> Result<Vec<Step>, String> {
    if let Some(unknown) = names.iter().find(|name| list.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = list.iter().map(|step| step.name).collect();
        return Err(format!("no step is called `{unknown}`; there are {}", known.join(", ")));
    }
    Ok(list.iter().copied().filter(|step| names.is_empty() || names.contains(&step.name)).collect())
}

/// A line for each step.
pub(crate) fn list(steps: &[Step]) -> String {
    steps.iter().map(|step| format!("{:<16} {}\n", step.name, step.holds)).collect()
}

impl Report {
    fn passed(&self) -> usize {
        self.rows.iter().filter(|row| row.outcome.is_ok()).count()
    }

    pub(crate) fn failed(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row.outcome, Err(Stop::Failed(_)))).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "\n=== the steps, and what each took")?;
        for Row { step, took, outcome } in &self.rows {
            let verdict = match outcome {
                Ok(()) => "passed",
                Err(Stop::Failed(_)) => "FAILED",
                Err(Stop::NotChecked(_)) => "NOT CHECKED HERE",
            };
            writeln!(out, "{:<16} {:>7.1} s  {verdict}", step.name, took.as_secs_f64())?;
        }
        for step in &self.never_ran {
            writeln!(out, "{:<16} {:>9}  never ran", step.name, "")?;
        }
        let total: Duration = self.rows.iter().map(|row| row.took).sum();
        writeln!(out, "{:<16} {:>7.1} s\n", "together", total.as_secs_f64())?;
        for Row { step, outcome, .. } in &self.rows {
            if let Err(Stop::NotChecked(reason)) = outcome {
                writeln!(out, "NOT CHECKED HERE: {}: {}, because {reason}", step.name, step.holds)?;
            }
        }
        for Row { step, outcome, .. } in &self.rows {
            if let Err(Stop::Failed(message)) = outcome {
                writeln!(out, "FAILED: {}: {message}", step.name)?;
            }
        }
        writeln!(out, "{} passed, {} failed", self.passed(), self.failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &'static str, outcome: Outcome) -> Row {
        let step = Step { name, holds: "it holds", run: |_| Ok(()), gate: false };
        Row { step, took: Duration::from_millis(1500), outcome }
    }

    #[test]
    fn steps_run_in_the_lists_order_and_once() {
        let list = [row("fmt", Ok(())).step, row("clippy", Ok(())).step, row("doc", Ok(())).step];
        let chosen = select(&list, &["clippy", "fmt", "clippy"]).expect("both exist");
        assert_eq!(chosen.iter().map(|step| step.name).collect::<Vec<_>>(), ["fmt", "clippy"]);
    }

    #[test]
    fn the_report_counts_names_and_ends_in_one_plain_line() {
        let rows = vec![
            row("good", Ok(())),
            row("bad", Err(Stop::Failed("it broke".to_owned()))),
            row("blind", Err(Stop::NotChecked("there is no light".to_owned()))),
        ];
        let text = Report { rows, never_ran: vec![] }.to_string();
        assert!(text.contains("good                 1.5 s  passed\n"), "{text}");
        assert!(text.contains("NOT CHECKED HERE: blind: it holds, because there is no light\n"), "{text}");
        assert!(text.contains("FAILED: bad: it broke\n"), "{text}");
        assert_eq!(text.lines().last(), Some("1 passed, 1 failed"));
    }
}
