//! How the cost of a job grows: by the number in a workload's variants, or by the number of workers.

use super::axis::Axis;
use super::lines::{Line, Lines};
use super::sheet::Title;
use super::{Place, Plot, file_named, named_allocator};
use crate::results::{Case, Figure, Results, Table};
use crate::units::{counted, tick};

const PREFIX: &str = "scale-";
const WORKERS: &str = "workers";

/// The tables of one plot.
#[derive(Debug)]
struct Growth<'a> {
    /// What grows.
    what: String,
    /// Each with how far it has grown.
    tables: Vec<(f64, &'a Table)>,
}

pub(super) fn plots(results: &Results) -> Result<Vec<Plot>, String> {
    let mut growths: Vec<Growth<'_>> = Vec::new();
    for table in results.tables.iter().filter(|table| table.case.workload.starts_with(PREFIX)) {
        let (what, size) = table.case.number().unwrap_or((WORKERS, table.case.workers as f64));
        let known = growths.iter_mut().find(|growth| growth.what == what && growth.belongs(&table.case));
        match known {
            Some(growth) => growth.tables.push((size, table)),
            None => growths.push(Growth { what: what.to_owned(), tables: vec![(size, table)] }),
        }
    }
    let plots = growths.iter().map(Growth::plot).collect::<Result<Vec<_>, _>>()?;
    Ok(plots.into_iter().flatten().collect())
}

impl Growth<'_> {
    fn case(&self) -> &Case {
        &self.tables[0].1.case
    }

    /// Whether `case` differs from these by what grows alone.
    fn belongs(&self, case: &Case) -> bool {
        let first = self.case();
        (&case.workload, &case.allocator, &case.size) == (&first.workload, &first.allocator, &first.size)
            && (self.what == WORKERS || case.workers == first.workers)
    }

    fn plot(&self) -> Result<Option<Plot>, String> {
        let Some(figure) = self.figures().next() else { return Ok(None) };
        let name = format!("{}, {}", figure.metric, figure.unit);
        let costs = || self.figures().map(|figure| figure.median).filter(|cost| *cost > 0.0);
        // A logarithm has no place for nothing: it is drawn at the least that is more.
        let least = costs().fold(f64::INFINITY, f64::min);
        if least.is_infinite() {
            return Ok(None);
        }
        let costs: Vec<f64> = costs().collect();
        let case = self.case();
        let workers = if self.what == WORKERS { String::new() } else { format!("w{}", case.workers) };
        let text = format!("{}: cost by {}", case.workload, self.what);
        let settings = self.settings();
        let lines = Lines {
            title: Title { text: text.clone(), below: format!("{settings}; less is better") },
            across: self.across(),
            up: Axis::logarithmic(&name, &figure.unit, costs.into_iter()),
            lines: self.lines(least),
        };
        Ok(Some(Plot {
            file: file_named(&[&case.workload, &workers, named_allocator(case)]),
            alt: format!("{text}, {settings}"),
            place: Place::Workload(case.workload.clone()),
            svg: lines.draw()?,
        }))
    }

    fn settings(&self) -> String {
        let case = self.case();
        let allocator = format!("{} allocator", case.allocator);
        if self.what == WORKERS {
            allocator
        } else {
            format!("{}, {allocator}", counted(case.workers, "worker"))
        }
    }

    fn across(&self) -> Axis {
        let mut sizes: Vec<f64> = self.tables.iter().map(|(size, _)| *size).collect();
        sizes.sort_by(f64::total_cmp);
        sizes.dedup();
        Axis::with_ticks(&self.what, sizes.into_iter().map(|size| (size.log10(), tick(size, ""))).collect())
    }

    fn figures(&self) -> impl Iterator<Item = &Figure> + Clone {
        self.tables.iter().flat_map(|(_, table)| table.entries.iter().filter_map(|entry| entry.primary()))
    }

    /// A contender that failed at some size has no point there.
    fn lines(&self, least: f64) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for (size, table) in &self.tables {
            for entry in &table.entries {
                let contender = &entry.contender;
                let index = lines.iter().position(|line| line.contender == *contender).unwrap_or(lines.len());
                if index == lines.len() {
                    lines.push(Line { contender: contender.clone(), points: Vec::new(), failed: false });
                }
                let point = |figure: &Figure| (size.log10(), figure.median.max(least).log10());
                lines[index].points.extend(entry.primary().map(point));
                lines[index].failed |= entry.failed.is_some();
            }
        }
        for line in &mut lines {
            line.points.sort_by(|left, right| left.0.total_cmp(&right.0));
        }
        lines
    }
}
