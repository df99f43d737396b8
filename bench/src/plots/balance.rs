//! How evenly the work is shared out: the busiest worker's part, in fair shares. Where several things are shared out, such
//! as connections and what they ask for, each has a bar.

use super::bars::{Bar, Bars, Length};
use super::sheet::Title;
use super::{Place, Plot, file_of};
use crate::results::{Entry, Figure, Table};
use crate::units::shown;

const UNIT: &str = "of fair share";

/// A figure of this name is the only one of its contender, and needs no name at its bar.
const ALONE: &str = "busiest";

pub(super) fn plot(table: &Table) -> Result<Option<Plot>, String> {
    // One worker does all the work, which is its fair share.
    if table.case.workers < 2 {
        return Ok(None);
    }
    let mut groups: Vec<Vec<Bar>> = table.entries.iter().map(bars).filter(|bars| !bars.is_empty()).collect();
    let what = match groups.iter().map(Vec::len).max() {
        None => return Ok(None),
        Some(1) => "the jobs",
        Some(_) => "the connections, and of the CPU time",
    };
    // By the last of a contender's: what it came to.
    let value =
        |bars: &Vec<Bar>| bars.last().and_then(|bar| bar.length).map_or(f64::INFINITY, |length| length.value);
    groups.sort_by(|left, right| value(left).total_cmp(&value(right)));
    let bars = groups.into_iter().flatten().collect();
    let text = format!("{}: the busiest worker's share of {what}", table.case.workload);
    let below = format!("{}; in fair shares, 1 is even; less is better", table.case.settings());
    Ok(Some(Plot {
        file: file_of("balance", &table.case),
        alt: format!("{text}, {}", table.case.settings()),
        place: Place::Case(table.case.clone()),
        svg: Bars { title: Title { text, below }, bars, mark: Some((1.0, "even")) }.draw()?,
    }))
}

/// Of one contender, in the order of the rows.
fn bars(entry: &Entry) -> Vec<Bar> {
    let figures = entry.figures.iter().filter(|figure| figure.unit == UNIT);
    let bar = |figure: &Figure| {
        let name = if figure.metric == ALONE { "" } else { &figure.metric };
        let length = Length { value: figure.median, low: figure.lowest(), high: figure.highest() };
        let (length, words) = if entry.failed.is_some() {
            (None, "failed".to_owned())
        } else {
            (Some(length), format!("{} {name}", shown(figure.median)).trim_end().to_owned())
        };
        Bar { contender: entry.contender.clone(), length, words }
    };
    figures.map(bar).collect()
}
