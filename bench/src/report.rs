//! What came of it: a table to read, and rows to keep.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::args::Plan;
use crate::run::{Group, Row};

/// The contender that the others are compared with: the first of millpond's own in a table.
const REFERENCE: &str = "millpond";

/// One metric of one contender, over its runs.
#[derive(Debug)]
struct Figure {
    name: String,
    unit: String,
    /// In the order of the runs.
    runs: Vec<f64>,
}

impl Figure {
    fn of(row: &Row) -> Vec<Figure> {
        let Some(first) = row.runs.first() else { return Vec::new() };
        let names = first.iter().map(|metric| (metric.name.clone(), metric.unit.clone())).enumerate();
        let runs = |index: usize| row.runs.iter().map(|run| run[index].value).collect();
        names.map(|(index, (name, unit))| Figure { name, unit, runs: runs(index) }).collect()
    }

    fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.runs.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    fn median(&self) -> f64 {
        let sorted = self.sorted();
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        (low + high) / 2.0
    }
}

/// How many times millpond's cost this is.
fn ratio(group: &Group, figure: &Figure) -> Option<f64> {
    let reference = group.rows.iter().find(|row| row.contender.starts_with(REFERENCE))?;
    let figures = Figure::of(reference);
    let reference = figures.iter().find(|other| other.name == figure.name)?.median();
    (reference > 0.0).then(|| figure.median() / reference)
}

pub(crate) fn table(group: &Group) -> String {
    let mut out = format!("\n{}, {} workers", group.workload.name, group.workers);
    if !group.variant.is_empty() {
        out += &format!(", {}", group.variant);
    }
    out += &format!(": {}\n", group.workload.about);
    for row in &group.rows {
        let _ = writeln!(out, "  {:<18} {}", row.contender, line(group, row));
    }
    out
}

/// The first metric with its spread and ratio; the others by their medians.
fn line(group: &Group, row: &Row) -> String {
    if let Some(error) = &row.failed {
        return format!("FAILED: {error}");
    }
    let figures = Figure::of(row);
    let Some((first, rest)) = figures.split_first() else { return "not run".to_owned() };
    let (sorted, median) = (first.sorted(), first.median());
    let mut line = format!("{:>10} {}", shown(median), first.unit);
    line += &format!("  [{} – {}]", shown(sorted[0]), shown(sorted[sorted.len() - 1]));
    line = format!("{line:<48}");
    line += &ratio(group, first).map_or(String::new(), |ratio| format!("  × {ratio:<6.2}"));
    if first.unit == "ns/job" {
        line += &format!("  {:>6.2} M/s", 1e3 / median);
    }
    for figure in rest {
        line += &format!("  {} {} {}", figure.name, shown(figure.median()), figure.unit);
    }
    line
}

/// Three digits, or all that are before the point.
fn shown(value: f64) -> String {
    match value.abs() {
        less if less < 10.0 => format!("{value:.2}"),
        less if less < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// One row a line, the header first.
pub(crate) fn write(path: &Path, header: &Value, groups: &[Group], plan: &Plan) -> Result<(), String> {
    let mut rows = vec![header.clone()];
    for group in groups {
        for row in &group.rows {
            rows.extend(Figure::of(row).iter().map(|figure| json_row(group, row, figure, plan)));
            rows.extend(row.failed.as_ref().map(|error| failure(group, row, error)));
        }
    }
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

fn json_row(group: &Group, row: &Row, figure: &Figure, plan: &Plan) -> Value {
    let mut params = Map::new();
    params.insert("metric".to_owned(), json!(figure.name));
    params.insert("size".to_owned(), json!(plan.size.name()));
    if let Some((name, value)) = group.variant.split_once('=') {
        params.insert(name.to_owned(), json!(value));
    }
    json!({
        "workload": group.workload.name,
        "contender": row.contender,
        "workers": group.workers,
        "params": params,
        "value": figure.median(),
        "unit": figure.unit,
        "runs": figure.runs,
        "ratio_to_millpond": ratio(group, figure),
    })
}

fn failure(group: &Group, row: &Row, error: &str) -> Value {
    json!({
        "workload": group.workload.name,
        "contender": row.contender,
        "workers": group.workers,
        "params": { "variant": group.variant },
        "failed": error,
    })
}
