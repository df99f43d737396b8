//! What came of it: a table to read at once.

use std::fmt::Write;

use crate::measure::Failure;
use crate::rows::Figure;
use crate::run::{Group, Row};
use crate::units::shown;

pub(crate) fn of(group: &Group) -> String {
    let mut out = format!("\n{}: {}\n", group.name(), group.workload.about);
    for row in &group.rows {
        let _ = writeln!(out, "  {:<20} {}", row.contender, line(group, row));
    }
    out
}

/// The first metric with its spread and ratio; the others by their medians.
fn line(group: &Group, row: &Row) -> String {
    match &row.failed {
        Some(Failure::Wrong(error) | Failure::Hung(error)) => return format!("FAILED: {error}"),
        Some(Failure::Unable(error)) => return format!("cannot run here: {error}"),
        None => {}
    }
    let figures = Figure::of(row);
    let Some((first, rest)) = figures.split_first() else { return "not run".to_owned() };
    let (sorted, median) = (first.sorted(), first.median());
    let mut line = format!("{:>10} {}", shown(median), first.unit);
    line += &format!("  [{} – {}]", shown(sorted[0]), shown(sorted[sorted.len() - 1]));
    line = format!("{line:<48}");
    line += &first.ratio(group).map_or(String::new(), |ratio| format!("  × {ratio:<6.2}"));
    if first.unit == "ns/job" {
        line += &format!("  {:>6.2} M/s", 1e3 / median);
    }
    for figure in rest {
        line += &format!("  {} {} {}", figure.name, shown(figure.median()), figure.unit);
    }
    line
}
