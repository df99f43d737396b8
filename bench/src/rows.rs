//! The rows to keep: the header first, then one for each metric of each case, with its raw runs.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::measure::{Failure, Metric};
use crate::plan::Plan;
use crate::run::{Group, Row};

/// The contender that the others are compared with: the first of millpond's own in a table.
pub(crate) const REFERENCE: &str = "millpond";

/// One metric of one contender, over its runs.
#[derive(Debug)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) unit: String,
    /// In the order of the runs.
    pub(crate) runs: Vec<f64>,
}

impl Figure {
    /// The metric that the workload is about comes first.
    pub(crate) fn of(row: &Row) -> Vec<Figure> {
        let Some(first) = row.runs.first() else { return Vec::new() };
        let runs = |index: usize| row.runs.iter().map(|run| run[index].value).collect();
        let figure =
            |metric: &Metric, runs| Figure { name: metric.name.clone(), unit: metric.unit.clone(), runs };
        let measured = first.iter().enumerate().map(|(index, metric)| figure(metric, runs(index)));
        measured.chain(row.counted.iter().map(|metric| figure(metric, vec![metric.value]))).collect()
    }

    pub(crate) fn sorted(&self) -> Vec<f64> {
        let mut sorted = self.runs.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
    }

    pub(crate) fn median(&self) -> f64 {
        let sorted = self.sorted();
        let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
        (low + high) / 2.0
    }

    /// How many times millpond's cost this is.
    pub(crate) fn ratio(&self, group: &Group) -> Option<f64> {
        let reference = group.rows.iter().find(|row| row.contender.starts_with(REFERENCE))?;
        let figures = Figure::of(reference);
        let reference = figures.iter().find(|other| other.name == self.name)?.median();
        (reference > 0.0).then(|| self.median() / reference)
    }
}

/// One row a line, so that two runs can be compared line by line.
pub(crate) fn write(path: &Path, header: &Value, groups: &[Group], plan: &Plan) -> Result<(), String> {
    let mut rows = vec![header.clone()];
    for group in groups {
        for row in &group.rows {
            rows.extend(Figure::of(row).iter().map(|figure| measured(group, row, figure, plan)));
            rows.extend(row.failed.as_ref().map(|failure| failed(group, row, failure, plan)));
        }
    }
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let text = format!("[\n{}\n]\n", lines.join(",\n"));
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

fn measured(group: &Group, row: &Row, figure: &Figure, plan: &Plan) -> Value {
    let mut params = params(group, plan);
    params.insert("metric".to_owned(), json!(figure.name));
    json!({
        "workload": group.workload.name,
        "contender": row.contender,
        "workers": group.case.workers,
        "params": params,
        "value": rounded(figure.median()),
        "unit": figure.unit,
        "runs": figure.runs.iter().copied().map(rounded).collect::<Vec<f64>>(),
        "ratio_to_millpond": figure.ratio(group).map(rounded),
    })
}

fn failed(group: &Group, row: &Row, failure: &Failure, plan: &Plan) -> Value {
    json!({
        "workload": group.workload.name,
        "contender": row.contender,
        "workers": group.case.workers,
        "params": params(group, plan),
        "failed": failure.message(),
    })
}

fn params(group: &Group, plan: &Plan) -> Map<String, Value> {
    let mut params = Map::new();
    params.insert("allocator".to_owned(), json!(group.allocator.name()));
    params.insert("size".to_owned(), json!(plan.size.name()));
    if let Some((name, value)) = group.case.variant.split_once('=') {
        params.insert(name.to_owned(), json!(value));
    }
    params
}

/// Five digits: more than any machine repeats.
fn rounded(value: f64) -> f64 {
    format!("{value:.4e}").parse().expect("a number as it was written")
}
