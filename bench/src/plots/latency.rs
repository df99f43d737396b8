//! Latencies by percentile: the further to the right, the rarer. The axis counts the nines.

use super::axis::Axis;
use super::lines::{Line, Lines};
use super::sheet::Title;
use super::{Place, Plot, file_of};
use crate::results::{Entry, Figure, Table};

/// Percentiles, and how many rounds in one take longer.
const PERCENTILES: [(&str, f64); 8] = [
    ("p50", 0.5),
    ("p75", 0.25),
    ("p90", 0.1),
    ("p95", 0.05),
    ("p99", 0.01),
    ("p99.9", 0.001),
    ("p99.99", 0.0001),
    // Of all rounds: drawn where the next nine would be.
    ("max", 0.00001),
];

/// A single point makes no curve.
const FEWEST_POINTS: usize = 2;

pub(super) fn plot(table: &Table) -> Result<Option<Plot>, String> {
    let curves: Vec<(&Entry, Vec<(f64, f64)>)> = table
        .entries
        .iter()
        .map(|entry| (entry, points(entry)))
        .filter(|(entry, points)| points.len() >= FEWEST_POINTS || entry.failed.is_some())
        .collect();
    let is_percentile = |figure: &&Figure| PERCENTILES.iter().any(|(name, _)| figure.metric == *name);
    let mut drawn = curves.iter().filter(|(_, points)| !points.is_empty());
    let unit = drawn.find_map(|(entry, _)| entry.figures.iter().find(is_percentile));
    let Some(unit) = unit.map(|figure| figure.unit.as_str()) else { return Ok(None) };
    let values = curves.iter().flat_map(|(_, points)| points.iter().map(|(_, value)| *value));
    let up = Axis::logarithmic("latency", unit, values);
    let measured =
        |share: f64| curves.iter().any(|(_, points)| points.iter().any(|(at, _)| *at == nines(share)));
    let ticks = PERCENTILES.iter().filter(|(_, share)| measured(*share));
    let across = Axis::with_ticks(
        "percentile",
        ticks.map(|(name, share)| (nines(*share), (*name).to_owned())).collect(),
    );
    let lines = curves.into_iter().map(|(entry, points)| Line {
        contender: entry.contender.clone(),
        points: points.into_iter().map(|(at, value)| (at, value.log10())).collect(),
        failed: entry.failed.is_some(),
    });
    let lines = lines.collect();
    let text = format!("{}: latency by percentile", table.case.workload);
    let title = Title { text: text.clone(), below: format!("{}; less is better", table.case.settings()) };
    Ok(Some(Plot {
        file: file_of("latency", &table.case),
        alt: format!("{text}, {}", table.case.settings()),
        place: Place::Case(table.case.clone()),
        svg: Lines { title, across, up, lines }.draw()?,
    }))
}

/// The percentiles of a contender, in the order of the axis; none if it failed.
fn points(entry: &Entry) -> Vec<(f64, f64)> {
    if entry.failed.is_some() {
        return Vec::new();
    }
    let figure =
        |name: &str| entry.figures.iter().find(|figure| figure.metric == name && figure.median > 0.0);
    let point = |(name, share): &(&str, f64)| Some((nines(*share), figure(name)?.median));
    PERCENTILES.iter().filter_map(point).collect()
}

fn nines(share_longer: f64) -> f64 {
    -share_longer.log10()
}
