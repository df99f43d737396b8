//! How evenly the work is shared out: the busiest worker's part, in fair shares.

use super::bars::{Bar, Bars, Length};
use super::sheet::Title;
use super::{Place, Plot, file_of};
use crate::results::{Entry, Table};
use crate::units::shown;

const UNIT: &str = "of fair share";

pub(super) fn plot(table: &Table) -> Result<Option<Plot>, String> {
    // One worker does all the work, which is its fair share.
    if table.case.workers < 2 {
        return Ok(None);
    }
    let mut bars: Vec<Bar> = table.entries.iter().filter_map(bar).collect();
    if bars.is_empty() {
        return Ok(None);
    }
    let value = |bar: &Bar| bar.length.map_or(f64::INFINITY, |length| length.value);
    bars.sort_by(|left, right| value(left).total_cmp(&value(right)));
    let text = format!("{}: the busiest worker's share of the jobs", table.case.workload);
    let below = format!("{}; in fair shares, 1 is even; less is better", table.case.settings());
    Ok(Some(Plot {
        file: file_of("balance", &table.case),
        alt: format!("{text}, {}", table.case.settings()),
        place: Place::Case(table.case.clone()),
        svg: Bars { title: Title { text, below }, bars, mark: Some((1.0, "even")) }.draw()?,
    }))
}

fn bar(entry: &Entry) -> Option<Bar> {
    let figure = entry.figures.iter().find(|figure| figure.unit == UNIT)?;
    let length = Length { value: figure.median, low: figure.lowest(), high: figure.highest() };
    let (length, words) = if entry.failed.is_some() {
        (None, "failed".to_owned())
    } else {
        (Some(length), shown(figure.median))
    };
    Some(Bar { contender: entry.contender.clone(), length, words })
}
